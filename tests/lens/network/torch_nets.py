"""Networks of torch for the tests and the benchmark: torchvision's ResNet-50, small ones."""

from torch import nn


class Bottleneck(nn.Module):
    def __init__(self, n_in, n_out, stride, at):
        super().__init__()
        inner = n_out // 4
        strides = {1: stride if at == "1x1" else 1, 2: stride if at == "3x3" else 1}
        self.body = nn.Sequential(
            nn.Conv2d(n_in, inner, 1, strides[1], bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(inplace=True),
            nn.Conv2d(inner, inner, 3, strides[2], 1, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(inplace=True),
            nn.Conv2d(inner, n_out, 1, bias=False),
            nn.BatchNorm2d(n_out),
        )
        self.short = nn.Identity()
        if stride > 1 or n_in != n_out:
            self.short = nn.Sequential(
                nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out)
            )
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.body(x)
        y += self.short(x)
        return self.relu(y)


def resnet50(width=64, stride_in="first", head=False):
    """torchvision's strides its 3×3 in the first unit of a block, TF-Slim's in the last one."""
    layers = [
        nn.Conv2d(3, width, 7, 2, 3, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, 1),
    ]
    n_in = width
    for at, units in enumerate((3, 4, 6, 3)):
        for unit in range(units):
            if stride_in == "first":
                stride = 2 if at and unit == 0 else 1
            else:
                stride = 2 if at < 3 and unit == units - 1 else 1
            layers.append(Bottleneck(n_in, 4 * width * 2**at, stride, "3x3"))
            n_in = 4 * width * 2**at
    if head:
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(n_in, 10)]
    return nn.Sequential(*layers).eval()
