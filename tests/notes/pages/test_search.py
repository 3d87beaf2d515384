"""The search: the package's own excerpt, and the right page for what people type."""

import random
from pathlib import Path

import pytest

from anypart.data.windows import excerpt
from notes.site import build

SCRIPT = Path(build.__file__).parent / "static" / "search.js"
ALPHABET = "ab aB'’- _.中文字の é９1\n"
# What people type → the note that must be among the first three.
ENGLISH = {
    "longest consecutive run": "02",
    "start guard": "02",
    "shortest covering window": "03",
    "minimum window substring": "03",
    "Gumbel-Softmax temperature": "01",
    "score function baseline": "01",
    "forward KL maximum likelihood": "04",
    "Wasserstein": "04",
    "NADE": "05",
    "autoregressive order": "05",
    "InfoNCE": "06",
    "self-supervised masks": "06",
    "perceptron threshold": "07",
    "bias batch norm": "07",
    "smooth F1": "08",
    "temperature of a soft maximum": "08",
    "receptive field dilation": "09",
    "list capacity": "10",
    "StopIteration": "11",
    "mutable default argument": "12",
    "gaps and islands": "02",
    "straight-through estimator": "01",
    "log-odds": "07",
    "coroutine": "11",
}
CHINESE = {
    "最长连续序列": "02",
    "起点检查": "02",
    "最小覆盖子串": "03",
    "覆盖 窗口 右端": "03",
    "重参数": "01",
    "梯度估计 方差": "01",
    "生成模型": "04",
    "最大似然 散度": "04",
    "自回归模型": "05",
    "NADE 参数": "05",
    "自监督": "06",
    "对比学习": "06",
    "感知器 阈值": "07",
    "偏置 批归一化": "07",
    "函数 光滑化": "08",
    "不可导 指标": "08",
    "感受野 步长": "09",
    "列表 元组": "10",
    "生成器": "11",
    "可变对象": "12",
    "过度分配": "10",
    "间隙 孤岛": "02",
    "浅拷贝 深拷贝": "12",
    "坍缩": "06",
}


def ported(browser, script, cases):
    """What the page's excerpt gives for texts, words and sizes."""
    page = browser.new_page()
    page.evaluate("globalThis.module = {}")
    page.add_script_tag(content=script)
    found = page.evaluate("cases => cases.map(c => module.exports.excerpt(...c))", cases)
    page.close()
    return found


def cases(count=1500, seed=9):
    rng = random.Random(seed)

    def text(most):
        return "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(most)))

    return [
        (text(60), [text(4) for _ in range(rng.randrange(4))], rng.choice([4, 12, 160]))
        for _ in range(count)
    ]


def plain(found):
    if found is None:
        return None
    return {
        "text": found.text,
        "marks": [list(m) for m in found.marks],
        "found": sorted(found.found),
    }


def differing(browser, script, some):
    """Cases in which the page's excerpt is not the package's."""
    found = ported(browser, script, some)
    for one in found:
        if one:
            del one["length"]
    return [c for c, one in zip(some, found, strict=True) if one != plain(excerpt(*c))]


def test_the_excerpt_of_the_page_is_the_excerpt_of_the_package(browser):
    some = cases()
    assert sum(plain(excerpt(*c)) is not None for c in some) > 300
    assert differing(browser, SCRIPT.read_text("utf-8"), some) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("here + 1 - start < best[1] - best[0]", "here + 1 - start <= best[1] - best[0]"),
        ("(?:['’-]${PART})*", ""),
        ("kept.delete(gone);", ""),
        ("spots[start - 1][0] <= most", "spots[start - 1][0] < most"),
    ],
)
def test_the_law_of_the_excerpt_notices_a_bug(browser, right, wrong):
    script = SCRIPT.read_text("utf-8")
    assert script.count(right) == 1
    assert differing(browser, script.replace(right, wrong), cases()) != []


WINDOW = "const window = shortestWindow("
AROUND_THE_FIRST = "const window = ((items, wanted) => { const at = items.findIndex((i) => \
wanted.has(i)); return [at, at + 1]; })("
COUNT = """([pages, queries]) => {
  const shown = queries.flatMap((query) => module.exports.search(pages, query));
  return [shown.filter((one) => one.shown.found.length === one.rank[0]).length, shown.length];
}"""


def test_without_the_shortest_window_results_show_fewer_of_the_words(browser):
    texts = sorted(Path(build.__file__).parents[1].glob("articles/*/en.md"))
    pages = [{"title": t.parent.name, "note": True, "text": t.read_text("utf-8")} for t in texts]
    script, whole = SCRIPT.read_text("utf-8"), []
    assert script.count(WINDOW) == 1
    for source in (script, script.replace(WINDOW, AROUND_THE_FIRST)):
        page = browser.new_page()
        page.evaluate("globalThis.module = {}")
        page.add_script_tag(content=source)
        shown, count = page.evaluate(COUNT, [pages, [q for q in ENGLISH if " " in q]])
        page.close()
        whole.append(shown / count)
    with_windows, without = whole
    assert with_windows > 2 * without


@pytest.mark.parametrize(("home", "queries"), [(".", ENGLISH), ("zh", CHINESE)])
def test_two_dozen_queries_find_their_note(site, window, home, queries):
    assert len(queries) == 24
    page = window().open(site / home / "search.html")
    lost = {}
    for query, number in queries.items():
        page.locator("#q").fill(query)
        links = page.locator("#results a").evaluate_all("all => all.slice(0, 3).map(a => a.href)")
        if not any(f"/{number}-" in link for link in links):
            lost[query] = [link.rsplit("/", 1)[-1] for link in links]
        assert page.locator("#results mark").count() > 0, query
    assert lost == {}


def test_a_result_leads_to_its_page_and_the_address_keeps_the_words(site, window):
    page = window().open(site / "search.html", "?q=shortest_window")
    assert page.locator("#q").input_value() == "shortest_window"
    page.locator("#results a", has_text="anypart.data.windows.shortest_window").first.click()
    page.wait_for_url("**/reference/anypart.data.windows.html#*")
    page.wait_for_selector(":target")


def test_what_is_nowhere_is_said(site, window):
    page = window().open(site / "search.html")
    page.locator("#q").fill("qqqxyz")
    assert page.locator("#status").inner_text().startswith("Nothing found")
    page.locator("#q").fill("")
    assert page.locator("#status").inner_text() == ""
