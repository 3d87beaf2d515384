import numpy as np
import pytest

from anypart.lens.python import growth
from notes import widgets

PLACE = 8  # bytes of one place of a list


def random_operations(seed):
    rng = np.random.default_rng(seed)
    wanted, length = [], 0
    for up in rng.random(300) < 0.45 + 0.1 * np.sin(np.arange(300) / 30 + seed):
        wanted.append("append" if up or not length else "pop")
        length += 1 if wanted[-1] == "append" else -1
    return wanted


def real(operations):
    """Bytes and length of a list of the running interpreter, after each operation."""
    held, told = [], [([].__sizeof__(), 0)]
    for name in operations:
        held.append(None) if name == "append" else held.pop()
        told.append((held.__sizeof__(), len(held)))
    return told


def agrees(module):
    cases = [*map(random_operations, range(12)), ["append"] * 400]
    empty = [].__sizeof__()
    for operations, states in zip(
        cases, module.call("follow", [[one, empty] for one in cases]), strict=True
    ):
        assert [(s["bytes"], s["length"]) for s in states] == real(operations)
    up = growth("list", 200)
    (states,) = module.call("follow", [[["append"] * 200 + ["pop"] * 200, empty]])
    assert [s["capacity"] for s in states[:201]] == list(up.capacities)
    assert [s["bytes"] for s in states[200:]] == list(up.shrinking)
    assert [s["length"] for s in states[:201] if s["grew"]] == list(up.moved)
    assert states[200]["moved"] / 200 == pytest.approx(up.copies_per_item)


def test_the_rule_is_that_of_the_running_interpreter(module):
    agrees(module)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("(length >> 3) + 6", "(length >> 3) + 7"),
        ("length >= capacity >> 1", "length > capacity >> 1"),
        ("length === 0 ? 0 : ", ""),
        ("if (grew) moved += before;", "if (grew) moved += length;"),
    ],
)
def test_a_planted_bug_is_found(module, right, wrong):
    with pytest.raises(AssertionError):
        agrees(module.planted(right, wrong))


def test_operations_are_read(module):
    assert module.call("readOperations", [["append 2, pop"], [" append；append 1\n"], [""]]) == [
        ["append", "append", "pop"],
        ["append", "append"],
        [],
    ]
    said = module.problems("readOperations", [["push 3"], ["pop"], ["append 401"]])
    assert [en[:10] for en, _ in said] == ["“push 3” i", "There is a", "That is mo"]
    assert [zh[:4] for _, zh in said] == ["“pus", "对空列表", "超过了 "]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_reader_appends_and_pops(opened, module, language):
    page = opened(module, language)
    page.get_by_role("textbox").fill("append 11, pop 9, append")
    told = real(["append"] * 11 + ["pop"] * 9 + ["append"])
    page.get_by_role("slider").press("Home")
    following = page.get_by_role("button", name={"en": "Next step", "zh": "下一步"}[language])
    for at, (size, length) in enumerate(told):
        if at:
            following.click()
        capacity = (size - told[0][0]) // PLACE
        assert page.locator(".places li").count() == capacity
        assert page.locator(".places .used").count() == length
        said = page.locator(".said").inner_text()
        assert all(str(number) in said for number in (length, capacity, size))
    steps = " ".join(map(str, growth("list", 100).steps))
    claim = page.locator(".measured").inner_text()
    assert steps in claim
    assert {"en": "gives the same", "zh": "与之相同"}[language] in claim


def test_the_page_says_if_the_measured_growth_is_another(opened, module):
    page = opened(module.planted("(length >> 3) + 6", "(length >> 4) + 6"))
    assert "differs" in page.locator(".measured").inner_text()


def test_it_works_by_keyboard(opened, module):
    page = opened(module)
    page.get_by_role("button", name="append 100, pop 100").press("Enter")
    page.get_by_role("slider").press("End")
    assert "length 0, room for 0" in page.locator(".said").inner_text()
    assert widgets.data("list_growth")["sizes"] == list(growth("list", 100).sizes)
    page.get_by_role("textbox").fill("pop")
    assert "IndexError" in page.locator(".problem").inner_text()
