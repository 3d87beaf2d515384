"""Brute force: which positions are read, as sets; imports nothing of the package.

A network is a list of ("conv", kernel, stride, padding, dilation), ("deconv", …) and
("paths", [network, …]).
"""


def read_set(network, position):
    """Every position of the input that one output position reads, padding counted."""
    if not network:
        return {position}
    *below, (kind, *numbers) = network
    if kind == "paths":
        return set().union(*(read_set(below + path, position) for path in numbers[0]))
    kernel, stride, padding, dilation = numbers
    if kind == "conv":
        read = [stride * position - padding + dilation * tap for tap in range(kernel)]
    else:
        # i with stride · i − padding + dilation · tap = position
        sums = [position + padding - dilation * tap for tap in range(kernel)]
        read = [total // stride for total in sums if total % stride == 0]
    return set().union(*(read_set(below, i) for i in read))


def spec_of(network):
    words = []
    for kind, *numbers in network:
        if kind == "paths":
            words.append("[" + "|".join(map(spec_of, numbers[0])) + "]")
        else:
            words.append("{} {} s{} p{} d{}".format(kind, *numbers))
    return ", ".join(words)


def torch_of(network):
    """The same network as one-dimensional torch layers with positive weights."""
    import torch

    class Sum(torch.nn.Module):
        def __init__(self, paths):
            super().__init__()
            self.paths = torch.nn.ModuleList(map(torch_of, paths))

        def forward(self, x):
            found = [path(x) for path in self.paths]
            n = min(y.shape[-1] for y in found)
            return sum(y[..., :n] for y in found)

    layers = []
    for kind, *numbers in network:
        if kind == "paths":
            layers.append(Sum(numbers[0]))
            continue
        make = torch.nn.Conv1d if kind == "conv" else torch.nn.ConvTranspose1d
        kernel, stride, padding, dilation = numbers
        layer = make(1, 1, kernel, stride=stride, padding=padding, dilation=dilation)
        torch.nn.init.constant_(layer.weight, 0.5)
        layers.append(layer)
    return torch.nn.Sequential(*layers)
