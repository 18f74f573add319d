#!/usr/bin/env bash
# The tests against real servers that the ordinary run does not have (make e2e-all). They are started and stopped by the
# tests, in a network of their own that has loopback and nothing else.
#
#   BRANDMELDER_E2E_CACHE   where downloads lie, outside the repository; ~/.cache/brandmelder-e2e
#   GOTOSOCIAL              a binary of GoToSocial 0.20, for Mastodon's API; without it those tests are skipped
#   NODEBB                  a checkout of NodeBB 4, installed and built (CONTRIBUTING.md); likewise
#
# Needed: npm and node 20 or newer, g++, Debian's postgresql and redis-server, unshare (util-linux), ip (iproute2).
set -euo pipefail
cd "$(dirname "$0")/../.."
export BRANDMELDER_E2E_CACHE="${BRANDMELDER_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/brandmelder-e2e}"

for tool in npm node g++ redis-server unshare ip; do
  command -v "$tool" >/dev/null || { echo "not installed: $tool (see the head of tests/peers/real.sh)" >&2; exit 1; }
done

sky="$BRANDMELDER_E2E_CACHE/bluesky"
if [ ! -e "$sky/ready" ]; then
  echo "installing @atproto/dev-env below $sky (362 MB, some minutes)"
  mkdir -p "$sky"
  (
    cd "$sky"
    [ -e package.json ] || npm init -y >/dev/null
    npm install --no-audit --no-fund --silent "@atproto/dev-env@0.3.215"
    npm rebuild --silent better-sqlite3 # npm 11 runs no install scripts by itself
    touch ready
  )
fi

[ "$(id -u)" = 0 ] && alone=(unshare --net) || alone=(unshare --map-current-user --keep-caps --net)
exec "${alone[@]}" bash -c 'ip link set lo up && exec env BRANDMELDER_E2E=all "$@"' -- \
  .venv/bin/pytest -q -m real "$@" tests/e2e
