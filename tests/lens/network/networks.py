"""Random small one-dimensional networks, for property tests."""

from hypothesis import strategies as st


@st.composite
def convs(draw, kinds=("conv", "conv", "deconv")):
    kind = draw(st.sampled_from(kinds))
    kernel, stride = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    dilation = draw(st.integers(1, 3))
    reach = dilation * (kernel - 1)
    return kind, kernel, stride, draw(st.integers(0, min(reach, 2))), dilation


@st.composite
def blocks(draw):
    """Paths that keep the size: convolutions of stride 1 with the padding that fits."""
    paths = []
    for _ in range(draw(st.integers(1, 3))):
        path = []
        for _ in range(draw(st.integers(0, 2))):
            half, dilation = draw(st.integers(0, 2)), draw(st.integers(1, 2))
            path.append(("conv", 2 * half + 1, 1, half * dilation, dilation))
        paths.append(path)
    return "paths", paths


networks = st.lists(st.one_of(convs(), convs(), blocks()), min_size=1, max_size=4)
plain_networks = st.lists(convs(kinds=("conv",)), min_size=1, max_size=4)
