"""A planted fault: β-VAE whose decoder stays as it was drawn."""

from benchmark.models.beta_vae import BetaVAE


class UntrainedDecoder(BetaVAE):
    """The decoder's weights are no parameters, so that no optimiser sees them."""

    def build(self, network):
        super().build(network)
        for module in self.decoder.modules():
            for name, value in list(module.named_parameters(recurse=False)):
                delattr(module, name)
                module.register_buffer(name, value.detach())
