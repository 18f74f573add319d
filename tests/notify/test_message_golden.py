"""What people read, word for word. After a change of wording: BRANDMELDER_GOLDEN=write pytest -k golden."""

import os
from pathlib import Path

import pytest

from brandmelder.notify.compose import plain_text
from notify.stories import CALLS, STORIES, called, told

GOLDEN = Path(__file__).parents[1] / "golden"


def page(message):
    """Return a message as text, with its buttons, and a mark where the whole channel sees it."""
    buttons = " ".join(f"[{button.label}]" for button in message.buttons)
    mark = "(auch im Kanal)" if message.broadcast else ""
    return "\n".join(part for part in (plain_text(message), buttons, mark) if part) + "\n"


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("name", [*STORIES, *CALLS])
def test_golden(name, language):
    file = GOLDEN / f"{name}.{language}.txt"
    message = called(language, **CALLS[name]) if name in CALLS else told(**STORIES[name], language=language)
    text = page(message)
    if os.environ.get("BRANDMELDER_GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
    assert file.read_text("utf-8") == text


def test_no_golden_file_is_left_over():
    assert {file.name.partition(".")[0] for file in GOLDEN.glob("*.txt")} == {*STORIES, *CALLS}
