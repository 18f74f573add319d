"""What Slack takes as a modal, and what a person can send from it.

After https://docs.slack.dev/reference/views/modal-views; stricter where the documentation leaves room.
"""

from peers.slack.blocks import _Check

KEYS = ("type", "title", "blocks")
MAY = ("callback_id", "private_metadata", "submit", "close", "clear_on_close", "notify_on_close", "external_id")
ELEMENTS = ("plain_text_input", "radio_buttons", "users_select")


def refusals(view):
    """Return why Slack would not open a view; empty if it would."""
    check = _Check()
    if not check.keys(view, "/view", needs=KEYS, may=MAY):
        return check.errors
    if view["type"] != "modal":
        check.refuse("/view/type", "must be modal")
    for name in ("title", "submit", "close"):
        if name in view:
            check.text(view[name], f"/view/{name}", most=24, kinds=("plain_text",))
    check.maybe_string(view, "callback_id", "/view", most=255)
    check.maybe_string(view, "private_metadata", "/view", most=3000)
    has_input = False
    for block, at in check.items(view["blocks"], "/view/blocks", most=100):
        if isinstance(block, dict) and block.get("type") == "input":
            has_input = True
            _input(check, block, at)
        else:
            check.block(block, at)
    if has_input and "submit" not in view:
        check.refuse("/view", "submit is required when an input block is within the blocks array")
    return check.errors


def _input(check, block, at):
    if not check.keys(block, at, needs=("label", "element"), may=("block_id", "optional", "hint", "dispatch_action")):
        return
    check.text(block["label"], f"{at}/label", most=2000, kinds=("plain_text",))
    check.maybe_string(block, "block_id", at, most=255)
    check.flag(block, "optional", at)
    element = block["element"]
    kind = element.get("type") if isinstance(element, dict) else None
    if kind not in ELEMENTS:
        check.refuse(f"{at}/element/type", f"unsupported type: {kind}")
        return
    may = {
        "plain_text_input": ("action_id", "multiline", "max_length", "min_length", "initial_value", "placeholder"),
        "radio_buttons": ("action_id", "options", "initial_option"),
        "users_select": ("action_id", "initial_user", "placeholder"),
    }[kind]
    check.keys(element, f"{at}/element", may=may)
    check.maybe_string(element, "action_id", f"{at}/element", most=255)
    if kind == "radio_buttons":
        for option, where in check.items(element.get("options"), f"{at}/element/options", most=10):
            if check.keys(option, where, needs=("text", "value"), may=("description",)):
                check.text(option["text"], f"{where}/text", most=75)
                check.string(option["value"], f"{where}/value", most=150)


def filled(view, answers):
    """Return `view.state.values` as Slack sends them; raises if a person could not have sent that."""
    values = {}
    for block in view["blocks"]:
        if block["type"] != "input":
            continue
        element, answer = block["element"], answers.get(block["block_id"])
        if answer is None and not block.get("optional"):
            raise AssertionError(f"Slack's client does not send a form without {block['block_id']}")
        values[block["block_id"]] = {element["action_id"]: _value(element, answer)}
    unknown = answers.keys() - values.keys()
    assert not unknown, f"the form has no {unknown}"
    return values


def _value(element, answer):
    match element["type"]:
        case "plain_text_input":
            assert answer is None or len(answer) <= element.get("max_length", 3000)
            return {"type": "plain_text_input", "value": answer}
        case "radio_buttons":
            option = next((one for one in element["options"] if one["value"] == answer), None)
            assert answer is None or option is not None, f"the form offers no {answer}"
            return {"type": "radio_buttons", "selected_option": option}
        case "users_select":
            return {"type": "users_select", "selected_user": answer}
