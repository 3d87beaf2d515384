"""Published networks as short specs (TensorFlow-Slim's, and torchvision's ResNet-50)."""

ALEXNET_V2 = (
    "conv1: conv 11 s4, pool1: pool 3 s2, conv2: conv 5 same, pool2: pool 3 s2, "
    "conv3: conv 3 same, conv4: conv 3 same, conv5: conv 3 same, pool5: pool 3 s2"
)


def vgg(*convs):
    blocks = [f"{n} * conv 3 same, pool{i}: pool 2 s2" for i, n in enumerate(convs, 1)]
    return ", ".join(blocks)


VGG_A = vgg(1, 1, 2, 2, 2)
VGG_16 = vgg(2, 2, 3, 3, 3)

MOBILENET_V1 = (
    "conv 3 s2 same, conv 3 same, conv 3 s2 same, conv 3 same, conv 3 s2 same, conv 3 same, "
    "conv 3 s2 same, 5 * conv 3 same, conv 3 s2 same, conv 3 same"
)


def slim_resnet(*units):
    """Strides in the last unit of a block, explicit padding where a 3×3 is strided."""
    blocks = []
    for at, n in enumerate(units):
        last = at == len(units) - 1
        blocks.append(f"{n if last else n - 1} * [ | conv 1, conv 3 same, conv 1]")
        if not last:
            blocks.append("[pool 1 s2 | conv 1, conv 3 s2 p1, conv 1]")
    return ", ".join(["conv 7 s2 p3, pool 3 s2 same", *blocks])


def torchvision_resnet(*units):
    """Strides in the first unit of a block, on its 3×3."""
    blocks = []
    for at, n in enumerate(units):
        first = "s2" if at else "s1"
        blocks.append(f"[conv 1 {first} | conv 1, conv 3 {first} p1, conv 1]")
        blocks.append(f"{n - 1} * [ | conv 1, conv 3 p1, conv 1]")
    return ", ".join(["conv 7 s2 p3, pool 3 s2 p1", *blocks])


_V2_MIXED = "[conv 1 | conv 1, conv 3 same | conv 1, conv 3 same, conv 3 same | pool 3 s1 same]"
_V2_SHRINK = "[conv 1, conv 3 s2 same | conv 1, conv 3 same, conv 3 s2 same | pool 3 s2 same]"
INCEPTION_V2 = (
    "conv 7 s2 same, pool 3 s2 same, conv 1, conv 3 same, pool 3 s2 same, "
    f"2 * {_V2_MIXED}, {_V2_SHRINK}, 4 * {_V2_MIXED}, {_V2_SHRINK}, 2 * {_V2_MIXED}"
)

_STEM = "conv 3 s2, conv 3, conv 3 same, pool 3 s2, conv 1, conv 3, pool 3 s2"
_MIXED_5 = "[conv 1 | conv 1, conv 5 same | conv 1, conv 3 same, conv 3 same | pool 3 s1 same]"
_SHRINK_3 = "[conv 3 s2 | conv 1, conv 3 same, conv 3 s2 | pool 3 s2]"
_MIXED_7 = (
    "[conv 1 | conv 1, conv 1x7 same, conv 7x1 same | conv 1, conv 7x1 same, conv 1x7 same, "
    "conv 7x1 same, conv 1x7 same | pool 3 s1 same]"
)
_SHRINK_7 = "[conv 1, conv 3 s2 | conv 1, conv 1x7 same, conv 7x1 same, conv 3 s2 | pool 3 s2]"
_FORK = "[conv 1x3 same | conv 3x1 same]"
INCEPTION_V3 = (
    f"{_STEM}, 3 * {_MIXED_5}, {_SHRINK_3}, 4 * {_MIXED_7}, {_SHRINK_7}, "
    f"2 * [conv 1 | conv 1, {_FORK} | conv 1, conv 3 same, {_FORK} | pool 3 s1 same]"
)
INCEPTION_V4 = (
    "conv 3 s2, conv 3, conv 3 same, [pool 3 s2 | conv 3 s2], "
    "[conv 1, conv 3 | conv 1, conv 1x7 same, conv 7x1 same, conv 3], [conv 3 s2 | pool 3 s2], "
    "4 * [conv 1 | conv 1, conv 3 same | conv 1, conv 3 same, conv 3 same | pool 3 s1 same], "
    f"{_SHRINK_3}, 7 * {_MIXED_7}, {_SHRINK_7}, "
    f"3 * [conv 1 | conv 1, {_FORK} | conv 1, conv 3x1 same, conv 1x3 same, {_FORK} "
    "| pool 3 s1 same]"
)
INCEPTION_RESNET_V2 = (
    f"{_STEM}, {_MIXED_5}, "
    "10 * [ | [conv 1 | conv 1, conv 3 same | conv 1, conv 3 same, conv 3 same], conv 1], "
    f"{_SHRINK_3}, 20 * [ | [conv 1 | conv 1, conv 1x7 same, conv 7x1 same], conv 1], "
    "[conv 1, conv 3 s2 | conv 1, conv 3 s2 | conv 1, conv 3 same, conv 3 s2 | pool 3 s2], "
    "10 * [ | [conv 1 | conv 1, conv 1x3 same, conv 3x1 same], conv 1], conv 1"
)

PUBLISHED = {  # name → spec, receptive field, stride, padding at 224 and at 321 pixels
    "alexnet_v2": (ALEXNET_V2, 195, 32, 64, 64),
    "vgg_a": (VGG_A, 150, 32, 59, 59),
    "vgg_16": (VGG_16, 212, 32, 90, 90),
    "inception_v2": (INCEPTION_V2, 699, 32, 318, 349),
    "inception_v3": (INCEPTION_V3, 1311, 32, 618, 618),
    "inception_v4": (INCEPTION_V4, 2071, 32, 998, 998),
    "inception_resnet_v2": (INCEPTION_RESNET_V2, 3039, 32, 1482, 1482),
    "mobilenet_v1": (MOBILENET_V1, 315, 32, 126, 157),
    "resnet_v1_50": (slim_resnet(3, 4, 6, 3), 483, 32, 239, 241),
    "resnet_v1_101": (slim_resnet(3, 4, 23, 3), 1027, 32, 511, None),
    "resnet_v1_152": (slim_resnet(3, 8, 36, 3), 1507, 32, 751, None),
    "resnet_v1_200": (slim_resnet(3, 24, 36, 3), 1763, 32, 879, None),
    "torchvision_resnet50": (torchvision_resnet(3, 4, 6, 3), 427, 32, 213, None),
}
