# syntax=docker/dockerfile:1
# Pin the digest of the day: docker build --build-arg PYTHON=python:3.11-slim@sha256:…
ARG PYTHON=python:3.11-slim
FROM ${PYTHON} AS build
ENV PYTHONDONTWRITEBYTECODE=1 UV_LINK_MODE=copy UV_PROJECT_ENVIRONMENT=/opt/venv UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir --disable-pip-version-check uv==0.13.9
WORKDIR /build
COPY pyproject.toml uv.lock README.md LICENSE ./
ARG EXTRAS="--extra web --extra picture --extra calendars --extra reviews --extra stream"
RUN uv sync --frozen --no-dev ${EXTRAS} --no-install-project
COPY service ./service
RUN uv sync --frozen --no-dev ${EXTRAS} --no-editable && python -m compileall -q /opt/venv

FROM ${PYTHON}
LABEL org.opencontainers.image.title="Brandmelder" \
      org.opencontainers.image.description="A fire alarm for brands" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    BRANDMELDER_CONFIG=/etc/brandmelder/brandmelder.yaml
COPY --from=build /opt/venv /opt/venv
RUN install -d -o 65532 -g 65532 /var/lib/brandmelder
USER 65532:65532
WORKDIR /var/lib/brandmelder
VOLUME /var/lib/brandmelder
HEALTHCHECK --interval=2m --timeout=20s --start-period=2m --retries=3 \
    CMD ["brandmelder", "health", "--config", "/etc/brandmelder/brandmelder.yaml"]
ENTRYPOINT ["brandmelder"]
CMD ["run", "--config", "/etc/brandmelder/brandmelder.yaml"]
