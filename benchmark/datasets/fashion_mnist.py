"""Fashion-MNIST: 70,000 pieces of clothing, 28 × 28 (Xiao et al. 2017)."""

from benchmark.datasets._mnist import MnistLike, idx_files


class FashionMnist(MnistLike):
    """Clothing; classes 0–9: T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot."""

    name = "fashion_mnist"
    files = idx_files(
        "fashion-mnist",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        (
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    )
