"""Small modules of every kind whose dependence is easy to get wrong, each with an example."""

import torch
from torch import nn
from torch.nn import functional


class Of(nn.Module):
    """A function with the modules it uses."""

    def __init__(self, run, *parts):
        super().__init__()
        self.run, self.parts = run, nn.ModuleList(parts)

    def forward(self, *inputs):
        return self.run(*self.parts, *inputs)


def spread_weights(module):
    """Move every parameter away from 0, also the ones that start there."""
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.randn(p.shape) + torch.sign(torch.randn(p.shape)) * 0.3)
    return module


class MaskedLinear(nn.Linear):
    def __init__(self, mask):
        super().__init__(mask.shape[1], mask.shape[0])
        self.register_buffer("mask", mask.float())

    def forward(self, x):
        return functional.linear(x, self.weight * self.mask, self.bias)


def made(leak=False, n=5, hidden=12):
    degrees = torch.arange(hidden) % (n - 1) + 1
    order = torch.arange(1, n + 1)
    first = degrees[:, None] >= order[None]
    last = order[:, None] > degrees[None]
    if leak:
        last[2, degrees == 4] = True
    return nn.Sequential(MaskedLinear(first), nn.ReLU(), MaskedLinear(last))


class MaskedConv2d(nn.Conv2d):
    def __init__(self, kind, n_in, n_out):
        super().__init__(n_in, n_out, 3, padding=1)
        mask = torch.ones(3, 3)
        mask[1, 1 + (kind == "B") :] = 0
        mask[2:] = 0
        self.register_buffer("mask", mask)

    def forward(self, x):
        return functional.conv2d(x, self.weight * self.mask, self.bias, padding=1)


def pixel_cnn(first):
    return nn.Sequential(MaskedConv2d(first, 1, 3), nn.ReLU(), MaskedConv2d("B", 3, 1))


def wave_net(leak=False):
    def run(first, gate, signal, last, x):
        h = first(functional.pad(x, (2, 0))[..., :-1])
        pad = (2, 2) if leak else (4, 0)
        inner = torch.tanh(gate(functional.pad(h, pad))) * torch.sigmoid(
            signal(functional.pad(h, pad))
        )
        return last(torch.relu(inner + h))

    two = [nn.Conv1d(3, 3, 3, dilation=2) for _ in range(2)]
    return Of(run, nn.Conv1d(1, 3, 2), *two, nn.Conv1d(3, 1, 1))


def attention(how):
    """One head over 5 positions of 3 numbers, masked in different ways."""

    def run(q, k, v, x):
        n = x.shape[1]
        allowed = torch.ones(n, n, dtype=torch.bool).tril()
        if how == "is_causal":
            return functional.scaled_dot_product_attention(q(x), k(x), v(x), is_causal=True)
        if how == "attn_mask":
            return functional.scaled_dot_product_attention(q(x), k(x), v(x), attn_mask=allowed)
        scores = q(x) @ k(x).transpose(1, 2) / 3**0.5
        if how == "masked_fill":
            scores = scores.masked_fill(~allowed, float("-inf"))
        elif how == "finfo":
            scores = scores.masked_fill(~allowed, torch.finfo(x.dtype).min)
        elif how == "minus 1e9":
            scores = scores + (~allowed) * -1e9
        elif how == "where":
            scores = torch.where(allowed, scores, torch.tensor(-torch.inf))
        weights = scores.softmax(-1)
        if how == "masked after the softmax":  # a leak: the sum runs over all positions
            weights = weights * allowed
        elif how == "linear":
            weights = torch.tril(scores)
        return weights @ v(x)

    return Of(run, *(nn.Linear(3, 3) for _ in range(3)))


def transformer(causal=True):
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, dropout=0.0)
    mask = nn.Transformer.generate_square_subsequent_mask(4)
    return Of(lambda layer, x: layer(x, src_mask=mask if causal else None), layer)


def multihead(x_len=4):
    padded = torch.tensor([[False, True, False, False]])

    def run(layer, x):
        return layer(x, x, x, key_padding_mask=padded, need_weights=False)[0]

    return Of(run, nn.MultiheadAttention(4, 2, batch_first=True))


def pruned():
    net = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3))
    spread_weights(net)
    with torch.no_grad():
        net[0].weight[:, 1] = 0
        net[0].weight[2] = 0
        net[2].weight[0, :2] = 0
    return net


def dead_relu():
    net = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 2))
    spread_weights(net)
    nn.init.constant_(net[0].bias, -25.0)
    return net


def in_place(x):
    y = torch.zeros(4, 3)
    y[:, 0] = x[:, 1]
    y[1:3, 1:] += x[:2, ::2]
    z = y.clone()
    z[0] = 1.0
    z[2] = x[3]
    y.t()[2].mul_(0)
    return torch.cat([y, z])


def view_then_write(x):
    y = x * 1.0
    row = y[1]
    y[:, 0].zero_()
    row.relu_()
    return row + y[2]


def windows(x):
    """Shifted windows of 2×2, their sums, shifted back (Swin)."""
    h = torch.roll(x, (-1, -1), (2, 3)).reshape(1, 1, 2, 2, 2, 2)
    h = h.sum((3, 5), keepdim=True).expand(1, 1, 2, 2, 2, 2).reshape(1, 1, 4, 4)
    return torch.roll(h, (1, 1), (2, 3))


def batch_norm(channels=2, zero=False, training=True):
    layer = nn.BatchNorm1d(channels)
    if zero:
        with torch.no_grad():
            layer.weight[0] = 0
    return layer.train(training)


def squeeze_excite():
    def run(conv, fc, x):
        h = conv(x)
        return h * torch.sigmoid(fc(h.mean((2, 3))))[:, :, None, None]

    return Of(run, nn.Conv2d(1, 2, 3), nn.Linear(2, 2))


def tokens():
    def run(embed, conv, codes):
        return conv(functional.pad(embed(codes).transpose(1, 2), (2, 0))[..., :-1])

    return Of(run, nn.Embedding(7, 3), nn.Conv1d(3, 2, 2))


def shared_row():
    """An embedding with a number that is the same in every row."""
    embed = nn.Embedding(7, 3)
    with torch.no_grad():
        embed.weight[:, 1] = 0.5
    return embed


def unet():
    def run(down, up, last, x):
        h = torch.relu(down(x))
        return last(torch.cat([up(h), x], 1))

    return Of(run, nn.Conv1d(1, 2, 2, stride=2), nn.ConvTranspose1d(2, 2, 2, 2), nn.Conv1d(3, 1, 3))


def decoder_step():
    """Built position by position, each from those before it."""

    def run(cell, x):
        out = torch.zeros_like(x)
        for at in range(1, x.shape[1]):
            out[:, at] = torch.tanh(cell(x[:, :at].sum(1, keepdim=True)))[:, 0]
        return out

    return Of(run, nn.Linear(1, 1))


def r(*shape):
    return torch.randn(*shape)


def ints(*shape):
    return torch.randint(0, 7, shape)


MODULES = {
    "linear": lambda: (nn.Linear(3, 2), r(2, 3)),
    "pruned weights": lambda: (pruned(), r(2, 5)),
    "MADE": lambda: (made(), r(1, 5)),
    "MADE with a leak": lambda: (made(leak=True), r(1, 5)),
    "masked convolutions": lambda: (pixel_cnn("A"), r(1, 1, 4, 4)),
    "masked convolutions with a leak": lambda: (pixel_cnn("B"), r(1, 1, 4, 4)),
    "causal dilated convolutions": lambda: (wave_net(), r(1, 1, 8)),
    "causal dilated convolutions with a leak": lambda: (wave_net(leak=True), r(1, 1, 8)),
    "causal attention": lambda: (attention("is_causal"), r(1, 4, 3)),
    "attention with a boolean mask": lambda: (attention("attn_mask"), r(1, 4, 3)),
    "attention masked by minus infinity": lambda: (attention("masked_fill"), r(1, 4, 3)),
    "attention masked by the least float": lambda: (attention("finfo"), r(1, 4, 3)),
    "attention masked by -1e9": lambda: (attention("minus 1e9"), r(1, 4, 3)),
    "attention masked by where": lambda: (attention("where"), r(1, 4, 3)),
    "attention masked after the softmax": lambda: (
        attention("masked after the softmax"),
        r(1, 4, 3),
    ),
    "linear attention": lambda: (attention("linear"), r(1, 4, 3)),
    "attention without a mask": lambda: (attention("none"), r(1, 4, 3)),
    "causal transformer": lambda: (transformer(), r(1, 4, 4)),
    "transformer without a mask": lambda: (transformer(causal=False), r(1, 4, 4)),
    "attention with padded keys": lambda: (multihead(), r(1, 4, 4)),
    "max routing": lambda: (Of(lambda x: x.max(1)[0]), r(3, 4)),
    "max pool": lambda: (nn.MaxPool2d(2), r(1, 2, 4, 4)),
    "max pool, dilated, with a rim": lambda: (
        nn.MaxPool2d(2, 2, padding=1, dilation=2, ceil_mode=True),
        r(1, 1, 5, 6),
    ),
    "dead ReLU": lambda: (dead_relu(), r(1, 3)),
    "rounding": lambda: (Of(lambda f, x: torch.round(f(x)), nn.Linear(3, 2)), r(1, 3)),
    "step": lambda: (Of(lambda f, x: (f(x) > 0).float(), nn.Linear(3, 2)), r(1, 3)),
    "argmax": lambda: (Of(lambda x: x.argmax(1)), r(2, 4)),
    "sort": lambda: (Of(lambda x: x.sort(1)[0]), r(2, 4)),
    "top two": lambda: (Of(lambda x: x.topk(2, 1)[0]), r(2, 4)),
    "clamp": lambda: (Of(lambda x: x.clamp(-0.1, 0.1)), r(2, 4)),
    "running sum": lambda: (Of(lambda x: x.cumsum(1)), r(2, 4)),
    "LSTM": lambda: (nn.LSTM(2, 3, num_layers=2), r(4, 1, 2)),
    "bidirectional GRU": lambda: (nn.GRU(2, 2, bidirectional=True, batch_first=True), r(2, 4, 2)),
    "plain RNN": lambda: (nn.RNN(2, 2), r(4, 1, 2)),
    "batch norm in training": lambda: (batch_norm(), r(3, 2, 2)),
    "batch norm in evaluation": lambda: (batch_norm(training=False), r(3, 2, 2)),
    "batch norm with a weight of 0": lambda: (batch_norm(zero=True), r(3, 2, 2)),
    "layer norm": lambda: (nn.LayerNorm(4), r(2, 3, 4)),
    "group norm": lambda: (nn.GroupNorm(2, 4), r(2, 4, 3)),
    "instance norm": lambda: (nn.InstanceNorm1d(2), r(2, 2, 3)),
    "RMS norm": lambda: (nn.RMSNorm(4), r(3, 4)),
    "depthwise convolution": lambda: (nn.Conv2d(3, 3, 2, groups=3), r(1, 3, 3, 3)),
    "transposed convolution": lambda: (nn.ConvTranspose1d(2, 2, 3, 2, 1, 1), r(1, 2, 4)),
    "transposed, grouped, dilated": lambda: (
        nn.ConvTranspose1d(2, 2, 2, 3, groups=2, dilation=2),
        r(2, 2, 3),
    ),
    "dilated convolution": lambda: (nn.Conv1d(1, 1, 3, dilation=2, padding=2), r(1, 1, 7)),
    "circular convolution": lambda: (
        nn.Conv1d(1, 1, 3, padding=1, padding_mode="circular"),
        r(1, 1, 6),
    ),
    "circular rims of two axes": lambda: (
        nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular"),
        r(1, 1, 5, 4),
    ),
    "columns of a table by a list": lambda: (Of(lambda x: x[:, [3, 0, 3]]), r(2, 4)),
    "rows that a mask lets through": lambda: (
        Of(lambda x: x[torch.tensor([True, False, True])]),
        r(3, 2),
    ),
    "selected places": lambda: (
        Of(lambda x: x.index_select(1, torch.tensor([2, 0]))),
        r(2, 3),
    ),
    "gather of the same places in each row": lambda: (
        Of(lambda x: x.gather(1, torch.tensor([[2, 0, 1]] * 2))),
        r(2, 4),
    ),
    "windows that are averaged": lambda: (
        Of(lambda x: x.unfold(1, 3, 2).mean(-1)),
        r(2, 8),
    ),
    "patches mixed and folded back": lambda: (
        Of(
            lambda mix, x: functional.fold(mix(functional.unfold(x, 2)), (4, 3), 2),
            nn.Conv1d(4, 4, 1),
        ),
        r(1, 1, 4, 3),
    ),
    "pixel shuffle": lambda: (nn.PixelShuffle(2), r(1, 4, 2, 2)),
    "bilinear": lambda: (nn.Upsample(scale_factor=2, mode="bilinear"), r(1, 1, 3, 3)),
    "bicubic": lambda: (nn.Upsample(size=(3, 5), mode="bicubic"), r(1, 1, 4, 3)),
    "nearest": lambda: (nn.Upsample(size=5), r(1, 1, 3)),
    "adaptive pool": lambda: (nn.AdaptiveAvgPool2d((2, 3)), r(1, 1, 5, 4)),
    "adaptive max pool": lambda: (nn.AdaptiveMaxPool1d(3), r(1, 2, 5)),
    "average pool with a rim": lambda: (nn.AvgPool2d(2, padding=1), r(1, 1, 4, 4)),
    "squeeze and excite": lambda: (squeeze_excite(), r(1, 1, 4, 4)),
    "reflected rim": lambda: (nn.ReflectionPad2d(1), r(1, 1, 3, 3)),
    "shifted windows": lambda: (Of(windows), r(1, 1, 4, 4)),
    "writes in place": lambda: (Of(in_place), r(4, 3)),
    "writes in place seen through a view": lambda: (Of(view_then_write), r(3, 3)),
    "built position by position": lambda: (decoder_step(), r(2, 4)),
    "gather at fixed places": lambda: (
        Of(lambda x: x.gather(1, torch.tensor([[2, 0], [1, 1]]))),
        r(2, 3),
    ),
    "gather at places that depend": lambda: (
        Of(lambda x: x.gather(1, x.argmax(1, keepdim=True))),
        r(2, 3),
    ),
    "where": lambda: (Of(lambda x: torch.where(x[:1] > 0, x[1:], 2.0)), r(3, 3)),
    "tokens": lambda: (tokens(), ints(1, 5)),
    "a number that all rows share": lambda: (shared_row(), ints(4)),
    "bags of tokens": lambda: (nn.EmbeddingBag(7, 2), ints(2, 3)),
    "one hot": lambda: (Of(lambda x: functional.one_hot(x, 7).float().cumsum(0)), ints(3)),
    "skips by concatenation": lambda: (unet(), r(1, 1, 8)),
    "patches": lambda: (Of(lambda x: functional.unfold(x, 2, stride=2)), r(1, 1, 4, 4)),
    "patches folded back": lambda: (
        Of(lambda x: functional.fold(functional.unfold(x, 2), (3, 3), 2)),
        r(1, 1, 3, 3),
    ),
    "einsum": lambda: (Of(lambda x: torch.einsum("bij,bkj->bik", x, x)), r(2, 3, 2)),
    "product with a constant 0": lambda: (
        Of(lambda x: x * torch.tensor([1.0, 0.0, 2.0])),
        r(2, 3),
    ),
    "gated linear unit": lambda: (nn.Sequential(nn.Linear(3, 4), nn.GLU()), r(2, 3)),
    "dropout in training": lambda: (nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 2)), r(1, 4)),
    "norm over time, a leak": lambda: (
        Of(lambda norm, x: norm(x.transpose(1, 2)), nn.LayerNorm(4)),
        r(1, 4, 2),
    ),
    "weights of masked attention, averaged": lambda: (
        Of(
            lambda a, x: a(x, x, x, attn_mask=torch.ones(3, 3, dtype=torch.bool).triu(1))[1],
            nn.MultiheadAttention(2, 1, batch_first=True),
        ),
        r(1, 3, 2),
    ),
    "sums at places": lambda: (
        Of(lambda x: torch.ones(2, 4).scatter_add(1, torch.tensor([[0, 0, 2], [1, 1, 1]]), x)),
        r(2, 3),
    ),
    "largest at places, without what was there": lambda: (
        Of(
            lambda x: x.scatter_reduce(
                1, torch.tensor([[0, 0], [1, 2]]), x[:, 1:], "amax", include_self=False
            )
        ),
        r(2, 3),
    ),
    "products at places": lambda: (
        Of(lambda x: x.scatter_reduce(1, torch.tensor([[2, 1], [2, 2]]), x[:, :2], "prod")),
        r(2, 3),
    ),
    "rows added to others": lambda: (
        Of(lambda x: torch.zeros(2, 2).index_add(0, torch.tensor([1, 0, 1]), x)),
        r(3, 2),
    ),
    "rows put elsewhere": lambda: (
        Of(lambda x: torch.zeros(4, 2).index_copy(0, torch.tensor([3, 0, 1]), x)),
        r(3, 2),
    ),
    "what a mask lets through, elsewhere": lambda: (
        Of(lambda x: torch.ones(2, 3).masked_scatter(torch.tensor([True, False, True]), x)),
        r(2, 3),
    ),
    "the largest one switched on": lambda: (
        Of(lambda x: torch.zeros_like(x).scatter(1, x.topk(1, 1)[1], 1.0) * x),
        r(2, 3),
    ),
    "Gumbel-softmax, hard": lambda: (
        Of(lambda x: functional.gumbel_softmax(x, hard=True)),
        r(2, 3),
    ),
    "overwritten where it is positive": lambda: (
        Of(lambda x: (lambda y: (y.index_put_((y > 0,), torch.tensor(0.5)), y)[1])(x + 0)),
        r(2, 3),
    ),
    "rows in the order of a column": lambda: (Of(lambda x: x[x[:, 0].argsort()]), r(3, 2)),
    "columns in an order of their own": lambda: (
        Of(lambda x: x[:, x[0].argsort()]),
        r(2, 3),
    ),
    "nearest row of a codebook": lambda: (
        Of(lambda e, x: e(torch.cdist(x, e.weight).argmin(1)), nn.Embedding(4, 2)),
        r(3, 2),
    ),
    "a kernel that depends": lambda: (
        Of(lambda f, x: functional.conv1d(x, f(x[..., :2]).view(1, 1, 2)), nn.Linear(2, 2)),
        r(1, 1, 4),
    ),
    "a form of two vectors": lambda: (
        Of(lambda b, x: b(x[:, :2], x[:, 2:]), nn.Bilinear(2, 1, 2)),
        r(2, 3),
    ),
    "an inverse": lambda: (Of(lambda x: torch.linalg.inv(x + 9 * torch.eye(2))), r(2, 2, 2)),
    "a linear system": lambda: (
        Of(lambda x: torch.linalg.solve(x[:, :2] + 9 * torch.eye(2), x[:, 2])),
        r(2, 3, 2),
    ),
    "a grid that is given": lambda: (
        Of(
            lambda x: functional.grid_sample(
                x, torch.tensor([[[[0.1, 0.2], [-0.9, 0.7]]]]), align_corners=True
            )
        ),
        r(1, 1, 3, 3),
    ),
    "complex numbers": lambda: (
        Of(lambda x: torch.view_as_real(torch.view_as_complex(x) * torch.tensor(2 + 1j))),
        r(3, 2),
    ),
    "hard swish": lambda: (nn.Sequential(nn.Linear(3, 2), nn.Hardswish(inplace=True)), r(2, 3)),
    "or with a constant": lambda: (
        Of(lambda x: (x > 0) | torch.tensor([True, False, True])),
        r(2, 3),
    ),
    "local response norm": lambda: (nn.LocalResponseNorm(3), r(1, 5, 2)),
    "Fourier transform": lambda: (Of(lambda x: torch.fft.rfft(x, dim=1).abs()), r(2, 4)),
}

POINTS = dict.fromkeys(  # where brute force needs more than three, for few of them show a choice
    ("the largest one switched on", "Gumbel-softmax, hard", "rows in the order of a column"), 12
)


def build(name, seed=0):
    """Return (module, example), weights away from 0, the same for the same seed."""
    torch.manual_seed(seed)
    module, example = MODULES[name]()
    kept = ("pruned weights", "dead ReLU", "a number that all rows share")
    if name not in kept and "weight of 0" not in name:
        spread_weights(module)
    return module, example
