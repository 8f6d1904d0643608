"""Where torchvision keeps the weights of our backbones: for people who fetch them by hand, without loading torch."""

ADDRESS = "https://download.pytorch.org/models/"
FILES = {  # the default weights of each builder, in torchvision 0.23 and later
    "efficientnet_b0": "efficientnet_b0_rwightman-7f5810bc.pth",
    "mobilenet_v2": "mobilenet_v2-7ebf99e0.pth",
    "mobilenet_v3_large": "mobilenet_v3_large-5c1a4163.pth",
    "mobilenet_v3_small": "mobilenet_v3_small-047dcff4.pth",
    "resnet18": "resnet18-f37072fd.pth",
    "resnet50": "resnet50-11ad3fa6.pth",
    "squeezenet1_1": "squeezenet1_1-b8a52dc0.pth",
}
