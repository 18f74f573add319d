"""What Slack takes as blocks: types, keys, lengths. One sentence with a JSON pointer for each thing it refuses.

After https://docs.slack.dev/reference/block-kit; stricter where the documentation leaves room. Block types that nothing
here sends are refused, so that a new one has to be described first.
"""

import re

MOST_BLOCKS = 50
MOST_CHARACTERS = 13_200
MOST_CHARTS, MOST_SERIES, MOST_POINTS, MOST_LABEL = 2, 6, 20, 20
INLINE_EVERYWHERE = frozenset({"text", "link"})
STYLES = frozenset({"bold", "italic", "strike", "code", "underline"})
DATE_TOKEN = re.compile(
    r"\{(date_num|date_slash|date_long|date_long_full|date_long_pretty|date|date_pretty|date_short|date_short_pretty"
    r"|time|time_secs|ago|day_divider_pretty)\}"
)


def refusals(blocks):
    """Return why Slack would answer `invalid_blocks`; empty if it would not."""
    check = _Check()
    if not isinstance(blocks, list):
        return ["must be an array [json-pointer:/blocks]"]
    if len(blocks) > MOST_BLOCKS:
        check.refuse("/blocks", f"no more than {MOST_BLOCKS} items allowed")
    for place, block in enumerate(blocks):
        check.block(block, f"/blocks/{place}")
    charts = [block for block in blocks if isinstance(block, dict) and block.get("type") == "data_visualization"]
    if len(charts) > MOST_CHARTS:
        check.refuse("/blocks", f"no more than {MOST_CHARTS} data_visualization blocks allowed")
    return check.errors


class _Check:
    def __init__(self):
        self.errors = []
        self.block_ids = set()
        self.action_ids = set()

    def refuse(self, at, why):
        self.errors.append(f"{why} [json-pointer:{at}]")

    # ------------------------------------------------------------------ parts

    def keys(self, value, at, *, needs=(), may=()):
        """Whether `value` is an object with the keys it needs and no others than it may have."""
        if not isinstance(value, dict):
            self.refuse(at, "must provide an object")
            return False
        for name in value.keys() - {"type", *needs, *may}:
            self.refuse(f"{at}/{name}", "invalid additional property")
        missing = [name for name in needs if name not in value]
        for name in missing:
            self.refuse(at, f"missing required field: {name}")
        return not missing

    def string(self, value, at, *, most, least=1):
        if not isinstance(value, str):
            self.refuse(at, "must provide a string")
        elif not least <= len(value) <= most:
            self.refuse(at, f"must be {least} to {most} characters, not {len(value)}")

    def maybe_string(self, holder, name, at, *, most):
        if name in holder:
            self.string(holder[name], f"{at}/{name}", most=most)

    def flag(self, holder, name, at):
        if name in holder and not isinstance(holder[name], bool):
            self.refuse(f"{at}/{name}", "must provide a boolean")

    def items(self, value, at, *, most, least=1):
        """Return the items with their pointers; nothing if it is no list of that length."""
        if not isinstance(value, list) or not least <= len(value) <= most:
            self.refuse(at, f"must provide {least} to {most} items")
            return []
        return [(item, f"{at}/{place}") for place, item in enumerate(value)]

    def text(self, value, at, *, most, kinds=("plain_text", "mrkdwn")):
        if not isinstance(value, dict) or value.get("type") not in kinds:
            self.refuse(at, f"must provide a text object of type {' or '.join(kinds)}")
            return
        option = {"plain_text": "emoji", "mrkdwn": "verbatim"}[value["type"]]
        if self.keys(value, at, needs=("text",), may=(option,)):
            self.string(value["text"], f"{at}/text", most=most)
            self.flag(value, option, at)

    def url(self, value, at):
        self.string(value, at, most=3000)
        if isinstance(value, str) and not re.match(r"(https?://|mailto:)\S", value):
            self.refuse(at, "must provide a valid URL")

    def style(self, holder, at):
        style = holder.get("style", {})
        if not isinstance(style, dict) or not all(
            name in STYLES and isinstance(on, bool) for name, on in style.items()
        ):
            self.refuse(f"{at}/style", "must provide a style")

    # ----------------------------------------------------------------- blocks

    def block(self, block, at):
        kind = block.get("type") if isinstance(block, dict) else None
        check = {
            "header": self.header,
            "section": self.section,
            "context": self.context,
            "actions": self.actions,
            "divider": self.divider,
            "image": self.image,
            "rich_text": self.rich_text,
            "data_visualization": self.data_visualization,
        }.get(kind)
        if check is None:
            self.refuse(f"{at}/type", f"unsupported type: {kind}")
            return
        check(block, at)
        if "block_id" in block:
            self.string(block["block_id"], f"{at}/block_id", most=255)
            if block["block_id"] in self.block_ids:
                self.refuse(f"{at}/block_id", "block_id already exists")
            self.block_ids.add(str(block["block_id"]))

    def header(self, block, at):
        if self.keys(block, at, needs=("text",), may=("block_id",)):
            self.text(block["text"], f"{at}/text", most=150, kinds=("plain_text",))

    def section(self, block, at):
        self.keys(block, at, may=("text", "fields", "accessory", "expand", "block_id"))
        if "text" not in block and "fields" not in block:
            self.refuse(at, "must define either `text` or `fields`")
        if "text" in block:
            self.text(block["text"], f"{at}/text", most=3000)
        if "fields" in block:
            for field, where in self.items(block["fields"], f"{at}/fields", most=10):
                self.text(field, where, most=2000)
        if "accessory" in block:
            self.element(block["accessory"], f"{at}/accessory", kinds=("button", "image"))

    def context(self, block, at):
        if self.keys(block, at, needs=("elements",), may=("block_id",)):
            for element, where in self.items(block["elements"], f"{at}/elements", most=10):
                if isinstance(element, dict) and element.get("type") == "image":
                    self.element(element, where, kinds=("image",))
                else:
                    self.text(element, where, most=3000)

    def actions(self, block, at):
        if self.keys(block, at, needs=("elements",), may=("block_id",)):
            for element, where in self.items(block["elements"], f"{at}/elements", most=25):
                self.element(element, where, kinds=("button",))

    def divider(self, block, at):
        self.keys(block, at, may=("block_id",))

    def image(self, block, at):
        if self.keys(block, at, needs=("image_url", "alt_text"), may=("title", "block_id")):
            self.url(block["image_url"], f"{at}/image_url")
            self.string(block["alt_text"], f"{at}/alt_text", most=2000)
            if "title" in block:
                self.text(block["title"], f"{at}/title", most=2000, kinds=("plain_text",))

    def element(self, element, at, *, kinds):
        kind = element.get("type") if isinstance(element, dict) else None
        if kind not in kinds:
            self.refuse(f"{at}/type", f"unsupported type: {kind}")
        elif kind == "image":
            if self.keys(element, at, needs=("image_url", "alt_text")):
                self.url(element["image_url"], f"{at}/image_url")
                self.string(element["alt_text"], f"{at}/alt_text", most=2000)
        elif self.keys(element, at, needs=("text",), may=("action_id", "value", "url", "style", "accessibility_label")):
            self.button(element, at)

    def button(self, button, at):
        self.text(button["text"], f"{at}/text", most=75, kinds=("plain_text",))
        self.maybe_string(button, "action_id", at, most=255)
        self.maybe_string(button, "value", at, most=2000)
        self.maybe_string(button, "accessibility_label", at, most=75)
        if "url" in button:
            self.url(button["url"], f"{at}/url")
        if button.get("style", "primary") not in {"primary", "danger"}:
            self.refuse(f"{at}/style", "must be primary or danger")
        if "action_id" in button:
            if button["action_id"] in self.action_ids:
                self.refuse(f"{at}/action_id", "action_id already exists")
            self.action_ids.add(str(button["action_id"]))

    # ------------------------------------------------------------------ charts

    def data_visualization(self, block, at):
        if self.keys(block, at, needs=("title", "chart"), may=("block_id",)):
            self.string(block["title"], f"{at}/title", most=50)
            chart = block["chart"]
            kind = chart.get("type") if isinstance(chart, dict) else None
            if kind not in {"bar", "line", "area"}:
                self.refuse(f"{at}/chart/type", f"unsupported type: {kind}")
            elif self.keys(chart, f"{at}/chart", needs=("series", "axis_config")):
                self.series(chart, f"{at}/chart")

    def series(self, chart, at):
        """Every series has a name of its own, and one number for each category, in their order."""
        axis = chart["axis_config"]
        if not self.keys(axis, f"{at}/axis_config", needs=("categories",), may=("x_label", "y_label")):
            return
        for label, where in self.items(axis["categories"], f"{at}/axis_config/categories", most=MOST_POINTS):
            self.string(label, where, most=MOST_LABEL)
        if len(set(map(str, axis["categories"]))) < len(axis["categories"]):
            self.refuse(f"{at}/axis_config/categories", "must be unique")
        for one, where in self.items(chart["series"], f"{at}/series", most=MOST_SERIES):
            if self.keys(one, where, needs=("name", "data")):
                self.string(one["name"], f"{where}/name", most=MOST_LABEL)
                self.points(one["data"], f"{where}/data", axis["categories"])
        names = [one.get("name") for one in chart["series"] if isinstance(one, dict)]
        if len(set(names)) < len(names):
            self.refuse(f"{at}/series", "names must be unique")

    def points(self, points, at, categories):
        for point, where in self.items(points, at, most=MOST_POINTS):
            if self.keys(point, where, needs=("label", "value")):
                self.string(point["label"], f"{where}/label", most=MOST_LABEL)
                if not isinstance(point["value"], int | float) or isinstance(point["value"], bool):
                    self.refuse(f"{where}/value", "must provide a number")
        if [point.get("label") for point in points if isinstance(point, dict)] != categories:
            self.refuse(at, "must cover every category")

    # -------------------------------------------------------------- rich text

    def rich_text(self, block, at):
        if self.keys(block, at, needs=("elements",), may=("block_id",)):
            for element, where in self.items(block["elements"], f"{at}/elements", most=1000):
                self.passage(element, where)

    def passage(self, element, at):
        kind = element.get("type") if isinstance(element, dict) else None
        if kind == "rich_text_list":
            if self.keys(element, at, needs=("style", "elements"), may=("indent", "offset", "border")):
                if element["style"] not in {"bullet", "ordered"}:
                    self.refuse(f"{at}/style", "must be bullet or ordered")
                for item, where in self.items(element["elements"], f"{at}/elements", most=1000):
                    if not isinstance(item, dict) or item.get("type") != "rich_text_section":
                        self.refuse(where, "must provide a rich_text_section")
                    else:
                        self.passage(item, where)
            return
        may = {"rich_text_section": (), "rich_text_quote": ("border",), "rich_text_preformatted": ("border",)}.get(kind)
        if may is None:
            self.refuse(f"{at}/type", f"unsupported type: {kind}")
        elif self.keys(element, at, needs=("elements",), may=may):
            only = INLINE_EVERYWHERE if kind == "rich_text_preformatted" else None
            for inline, where in self.items(element["elements"], f"{at}/elements", most=1000):
                self.inline(inline, where, only=only)

    def inline(self, inline, at, *, only=None):
        kind = inline.get("type") if isinstance(inline, dict) else None
        shape = {
            "text": (("text",), ("style",)),
            "link": (("url",), ("text", "unsafe", "style")),
            "emoji": (("name",), ("unicode", "style")),
            "date": (("timestamp", "format"), ("url", "fallback", "timezone", "style")),
            "user": (("user_id",), ("style",)),
            "usergroup": (("usergroup_id",), ("style",)),
            "channel": (("channel_id",), ("style",)),
            "broadcast": (("range",), ("style",)),
        }.get(kind)
        if shape is None or (only is not None and kind not in only):
            self.refuse(f"{at}/type", f"unsupported type: {kind}")
            return
        needs, may = shape
        if not self.keys(inline, at, needs=needs, may=may):
            return
        self.style(inline, at)
        if kind == "date":
            self.date(inline, at)
        elif kind == "link":
            self.url(inline["url"], f"{at}/url")
            self.maybe_string(inline, "text", at, most=3000)
        else:
            self.string(inline[needs[0]], f"{at}/{needs[0]}", most=MOST_CHARACTERS)

    def date(self, inline, at):
        if not isinstance(inline["timestamp"], int) or isinstance(inline["timestamp"], bool):
            self.refuse(f"{at}/timestamp", "must provide an integer")
        self.string(inline["format"], f"{at}/format", most=500)
        if not DATE_TOKEN.search(str(inline["format"])):
            self.refuse(f"{at}/format", "must hold a date token")
        self.maybe_string(inline, "fallback", at, most=500)
