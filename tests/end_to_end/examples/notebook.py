"""Score, explore and save a model of your own: any torch module, or any function from images to codes."""

from torch import nn

from benchmark import encode, explore, score

encoder = nn.Sequential(nn.Flatten(), nn.Linear(32 * 32, 6))
decoder = nn.Sequential(nn.Linear(6, 32 * 32), nn.Sigmoid(), nn.Unflatten(1, (1, 32, 32)))

codes = encode(encoder, "dsprites", settings={"resolution": 32, "stride": (1, 1, 4, 4, 4)})
scores = score(codes, metrics="mig,mcc,dci(model=lasso, train=5000, test=5000)")  # or score(z, v) of your own arrays
print(scores[scores["factor"].isna()][["score", "value", "protocol"]])
explore(decoder, codes).save("explorer.html")  # in a notebook, the last line of a cell shows itself
codes.save("mine.npz")  # benchmark evaluate quickstart --codes mine.npz --dataset dsprites
