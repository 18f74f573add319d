"""What one person sees in Slack after a click: a form, or words for them alone. All of it plain text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from brandmelder.notify.channels.slack_blocks import Block, escape, render
from brandmelder.notify.channels.slack_clicks import CALLBACK, MOST_WORDS
from brandmelder.notify.inert import inert

if TYPE_CHECKING:
    from brandmelder.notify.listener import Answer, Question

MOST_TITLE, MOST_BUTTON, MOST_LABEL, MOST_TEXT = 24, 24, 150, 2_900


def view(question: Question, place: str) -> Block:
    """Return a form as a modal; what it is about travels in its private part, out of people's reach."""
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": json.dumps([question.act, question.incident, question.revision, place]),
        "title": _plain(question.title, MOST_TITLE),
        "submit": _plain(question.submit, MOST_BUTTON),
        "close": _plain(question.cancel, MOST_BUTTON),
        "blocks": _inputs(question),
    }


def ephemeral(answer: Answer) -> tuple[str, list[Block]]:
    """Return the line and the blocks of an answer."""
    if answer.message is not None:
        return render(answer.message, receives_clicks=True)
    blocks: list[Block] = [{"type": "section", "text": _plain(answer.text, MOST_TEXT)}]
    if answer.undo:
        button = {
            "type": "button",
            "action_id": "undo",
            "text": _plain(answer.undo, 75),
            "value": f"{answer.incident}:{answer.revision}",
        }
        blocks.append({"type": "actions", "elements": [button]})
    return escape(answer.text, MOST_TEXT), blocks


def _inputs(question: Question) -> list[Block]:
    label = _plain(question.label, MOST_LABEL)
    if not question.choices:
        person = {"type": "users_select", "action_id": "person"}
        return [{"type": "input", "block_id": "person", "label": label, "element": person}]
    options = [{"text": _plain(one.label, 75), "value": one.value} for one in question.choices]
    reasons = {"type": "radio_buttons", "action_id": "reason", "options": options}
    words = {"type": "plain_text_input", "action_id": "words", "multiline": True, "max_length": MOST_WORDS}
    return [
        {"type": "input", "block_id": "reason", "label": label, "element": reasons},
        {
            "type": "input",
            "block_id": "words",
            "optional": True,
            "label": _plain(question.words, MOST_LABEL),
            "element": words,
        },
    ]


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": inert(text, limit) or "–", "emoji": True}
