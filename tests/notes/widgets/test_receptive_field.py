import numpy as np
import pytest

from anypart.base.errors import LensError
from anypart.lens.network import receptive_field
from anypart.lens.network.layers import parse
from anypart.lens.network.top_down import top_down

FIXED = [
    ("conv 3 s2, conv 3 s2, conv 3", 31),
    ("conv 3 same, conv 3 d2 same, conv 3 d4 same, conv 3 d8 same, conv 3 d16 same", 63),
    ("stem: conv 7 s2 p3, pool 3 s2 p1, 2 * (conv 3 p1, conv 3 p1)", 64),
    ("maxpool 3 s2 ceil, avgpool 2, 3 * conv 1", 40),
    ("CONV 5 k3 s3 p2,, conv 2 s2 same", 50),
    ("pool 4 same, conv 2 d3", 50),
    ("pool 3 s2 p1 ceil", 20),
]


def random_stack(seed):
    rng = np.random.default_rng(seed)
    layers = []
    for _ in range(1 + seed % 5):
        words = [str(rng.choice(["conv", "pool", "maxpool"])), str(rng.integers(1, 5))]
        options = [f"s{rng.integers(1, 4)}", f"d{rng.integers(1, 4)}"]
        options += [["same", f"p{rng.integers(0, 3)}", "ceil", ""][rng.integers(4)]]
        layers.append(" ".join(words + [o for o in options if rng.random() < 0.6]))
    return ", ".join(layers), int(rng.integers(80, 101))


def fits(spec, size):
    try:
        return bool(receptive_field(spec, size))
    except LensError:
        return False


RANDOM = [random_stack(seed) for seed in range(90)]
CASES = [*FIXED, *(one for one in RANDOM if fits(*one))]
TOO_LARGE = [one for one in RANDOM if not fits(*one)]


def agrees(module):
    stacks = module.call("parse", [[spec] for spec, _ in CASES])
    flat = [[layer] for stack in stacks for layer in stack]
    assert module.call("written", flat) == [str(layer) for s, _ in CASES for layer in parse(s)]
    sizes = [[stack, size] for stack, (_, size) in zip(stacks, CASES, strict=True)]
    found = module.call("receptiveField", sizes)
    for (spec, size), rows in zip(CASES, found, strict=True):
        (right,) = receptive_field(spec, size)
        assert [
            (r["name"], r["nOut"], r["jump"], r["size"], r["center"], r["padding"]) for r in rows
        ] == [(s.name, s.n_out, s.jump, s.size, s.center, s.padding) for s in right]
    refused = module.call("parse", [[spec] for spec, _ in TOO_LARGE])
    over = [[stack, size] for stack, (_, size) in zip(refused, TOO_LARGE, strict=True)]
    assert len(module.problems("receptiveField", over)) == len(TOO_LARGE) > 0
    follows_down(module, sizes, [rows[-1]["nOut"] for rows in found])


def follows_down(module, sizes, n_out):
    for share in (0.0, 0.4, 1.0):
        places = [int(share * (n - 1)) for n in n_out]
        reads = module.call(
            "topDown", [[*size, at] for size, at in zip(sizes, places, strict=True)]
        )
        for (spec, size), at, read in zip(CASES, places, reads, strict=True):
            assert [(level[0], level[-1]) for level in read] == top_down(spec, size, at)
            assert len(read[0]) == n_taps(spec)


def n_taps(spec):
    """How many input positions an output reads, wherever it stands: padding moves them all."""
    places = {0}
    for layer in reversed(parse(spec)):
        taps = range(0, layer.kernel * layer.dilation, layer.dilation)
        places = {place * layer.stride + tap for place in places for tap in taps}
    return len(places)


def test_stacks_are_followed_as_the_package_follows_them(module):
    agrees(module)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("step *= layer.stride;", "step += layer.stride - 1;"),
        ("low -= pad * step;", "low -= pad;"),
        ("const inside = last * stride < room + 1 + reach - pad;", "const inside = true;"),
        ("(given - 1) * stride + reach + 1 - n", "(given - 1) * stride + reach - n"),
        ("o * layer.stride - pad + tap * layer.dilation);", "o * layer.stride - pad + tap);"),
        ('kind === "pool" && !stated ? kernel : 1', "1"),
        ("i < times &&", "i < 1 &&"),
    ],
)
def test_a_planted_bug_is_found(module, right, wrong):
    with pytest.raises(AssertionError):
        agrees(module.planted(right, wrong))


def test_what_cannot_be_read_is_said_in_both_languages(module):
    specs = ["", "conf 3", "conv", "conv 3 z1", "conv 3x5", "conv 0", "[ | conv 3]", "deconv 4 s2"]
    specs += ["(conv 3", "conv 3)", "2 *", "17 * conv 1", "a: ,"]
    said = module.problems("parse", [[spec] for spec in specs])
    assert all(en and zh and en != zh for en, zh in said)
    assert said[1][0].startswith("“conf” is no layer")
    assert "anypart study receptive-field" in said[6][0]
    stack = module.call("parse", [["first: conv 9"]])
    ((en, _),) = module.problems("receptiveField", [[stack[0], 5]])
    assert en.startswith("first reads 4 positions more than there are.")
    assert len(module.problems("readSize", [["0"], ["1.5"], ["x"], [""], ["101"]])) == 5


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_reader_edits_a_stack(opened, module, language):
    page = opened(module, language)
    spec, size = "conv 5 s2 p2, pool 2, conv 3 d2 p1", 41
    page.get_by_role("textbox").nth(1).fill(str(size))
    page.get_by_role("textbox").nth(0).fill("conv 5 s2 p2, pool 2")
    page.get_by_role("textbox").nth(0).fill(spec)
    (right,) = receptive_field(spec, size)
    rows = page.locator("tbody tr").evaluate_all(
        "rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    assert [row[0] for row in rows] == [seen.name for seen in right]
    shown = np.array([[text.replace("−", "-") for text in row[1:]] for row in rows], float)
    wanted = [[s.n_out, s.jump, s.size, s.center, s.padding] for s in right]
    assert shown.tolist() == wanted
    slider = page.get_by_role("slider")
    slider.press("Home")
    for at in range(right[-1].n_out):
        low, high = top_down(spec, size, at)[0]
        told = page.locator(".said").inner_text().replace("−", "-")
        assert f" {low} " in told
        assert f" {high}" in told
        assert f" {high - low + 1} " in told
        inside = page.locator("svg .read").count() + page.locator("svg .pad").count()
        assert inside >= len(top_down(spec, size, at))
        slider.press("ArrowRight")


def test_buttons_edit_the_text(opened, module):
    page = opened(module)
    page.get_by_role("button", name="+ conv 3 d2").click()
    text = page.get_by_role("textbox").first
    assert text.input_value() == "conv 3 s2, conv 3 s2, conv 3, conv 3 d2"
    (right,) = receptive_field(text.input_value(), 31)
    assert page.locator("tbody tr td:nth-child(4)").last.inner_text() == str(right[-1].size)
    page.get_by_role("button", name="− last layer").press("Enter")
    page.get_by_role("button", name="− last layer").press("Enter")
    assert text.input_value() == "conv 3 s2, conv 3 s2"
    text.fill("conv 3 s2, conv 99")
    assert page.locator(".problem").first.inner_text().startswith("“99” is no size.")
    text.fill("conv 50")
    assert page.locator(".problem").first.inner_text().startswith("conv 50 reads 19 positions more")
