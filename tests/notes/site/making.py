"""Small notes on disk, and the parts of pages that laws look at."""

from html.parser import HTMLParser

from notes.site.running import Run

CODE = """# %% setup
from notes.press import figure, tell

# %% first
print("four", 2 + 2)

# %% first_quiet
tell(four=4, half=0.5, loss=-1.25)
figure("dot", "<svg viewBox='0 0 1 1'><path id='p' d='M0 0h1'/></svg>")
"""
RAN = Run(
    output={"setup": "", "first": "four 4\n", "first_quiet": ""},
    told={"four": 4, "half": 0.5, "loss": -1.25},
    figures={"dot": '<svg viewBox="0 0 1 1"></svg>'},
    seconds=0.0,
)
HEADS = {
    "en": ("A title", "[algorithms, data]"),
    "zh": ("一个题目", "[算法, 数据]"),
}


def make_note(root, number=1, text="Words.\n", code=CODE, day=None):
    folder = root / f"{number:02}_topic"
    folder.mkdir(parents=True)
    (folder / "code.py").write_text(code, "utf-8")
    for language, (title, tags) in HEADS.items():
        day = day or f"2026-{1 + number // 28:02}-{1 + number % 28:02}"
        head = f"---\ntitle: {title} {number}\ndate: {day}\nexcerpt: A line.\ntags: {tags}\n---\n"
        (folder / f"{language}.md").write_text(f"{head}\n{text}", "utf-8")
    return folder


class Seen(HTMLParser):
    """What a page holds: addresses, anchors, the language, headings, landmarks."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.tags, self.lang = [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.tags.append(tag)
        if tag == "html":
            self.lang = found["lang"]
        if "id" in found:
            self.ids.append(found["id"])
        self.links += [found[name] for name in ("href", "src") if name in found]
