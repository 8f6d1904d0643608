"""Where torchvision keeps the weights of our backbones: for people who fetch them by hand, without loading torch."""

ADDRESS = "https://download.pytorch.org/models/"
FILES = {  # the default weights of each builder, in torchvision 0.23 and later
    "convnext_tiny": "convnext_tiny-983f1562.pth",
    "efficientnet_b0": "efficientnet_b0_rwightman-7f5810bc.pth",
    "efficientnet_v2_s": "efficientnet_v2_s-dd5fe13b.pth",
    "mobilenet_v2": "mobilenet_v2-7ebf99e0.pth",
    "mobilenet_v3_large": "mobilenet_v3_large-5c1a4163.pth",
    "mobilenet_v3_small": "mobilenet_v3_small-047dcff4.pth",
    "regnet_y_400mf": "regnet_y_400mf-e6988f5f.pth",
    "regnet_y_800mf": "regnet_y_800mf-58fc7688.pth",
    "resnet18": "resnet18-f37072fd.pth",
    "resnet50": "resnet50-11ad3fa6.pth",
    "squeezenet1_1": "squeezenet1_1-b8a52dc0.pth",
    "vit_b_16": "vit_b_16-c867db91.pth",
}
