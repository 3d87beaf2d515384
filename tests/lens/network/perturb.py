"""Brute force: change one input at a time, by many amounts, around many points."""

import torch


def first_tensor(found):
    while not isinstance(found, torch.Tensor):
        found = found[0]
    return found


def brute_force(module, example, points=3):
    """(outputs, inputs): did any change of the input change the output?"""
    noise = torch.Generator().manual_seed(1)
    whole = not example.is_floating_point()
    found = None
    for at in range(4 * points if whole else points):
        if whole:
            base = torch.randint(0, 7, example.shape, generator=noise)
        else:
            base = torch.randn(example.shape, generator=noise) * (0.3, 1.0, 4.0)[at % 3]
        before = run(module, base, at)
        if found is None:
            found = torch.zeros(before.numel(), example.numel(), dtype=torch.bool)
        for place in range(example.numel()):
            for change in (1, 3) if whole else (0.4, -6.0, 60.0):
                moved = base.flatten().clone()
                moved[place] = (moved[place] + change) % 7 if whole else moved[place] + change
                after = run(module, moved.reshape(base.shape), at)
                found[:, place] |= (after != before).flatten()
    return found


def run(module, x, seed):
    torch.manual_seed(seed)
    buffers = [b.clone() for b in module.buffers()]
    with torch.no_grad():
        found = first_tensor(module(x)).clone()
        for buffer, kept in zip(module.buffers(), buffers, strict=True):
            buffer.copy_(kept)
    return found
