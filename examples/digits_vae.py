# %% [markdown]
# # A variational autoencoder with categorical latents
#
# An encoder looks at a handwritten digit and chooses one of K categories for each of L latent
# variables; a decoder draws the digit from the choices. Both are trained to make the evidence
# lower bound (ELBO) of log p(image) large:
#
#     E[log p(image | z)] - KL(q(z | image), p(z)),   z ~ q(z | image)
#
# The choices are discrete, so that no gradient flows through them. A Gumbel-softmax sample (Jang,
# Gu and Poole 2017; Maddison, Mnih and Teh 2017) does let it through: the argmax of random
# utilities is an exact draw from the categorical law, and its softened version is differentiable.

# %%
import common
import torch
from softtricks.torch import OneHot, perturb
from torch import nn

options = common.options("A VAE with categorical latents on handwritten digits.", 3000, 300)
K, L, WIDTH, BATCH = 10, 4, 128, 64

# %% [markdown]
# ## Data
#
# 1797 images of 8 x 8 pixels that come with scikit-learn. A pixel is made black or white, so that
# the likelihood is a probability and the ELBO a bound in nats.

# %%
(train_images, _), (test_images, _) = common.digits()
train_images, test_images = (train_images > 0.5).float(), (test_images > 0.5).float()


def log_likelihood(logits, images):
    """log p(image), every pixel a coin of its own, [..., 64] -> [...]."""
    return nn.functional.logsigmoid(torch.where(images == 1, logits, -logits)).sum(-1)


# %% [markdown]
# What a model without latents can reach: every pixel is black as often as in the training images.

# %%
frequency = (train_images.sum(0) + 1) / (len(train_images) + 2)
pixels_alone = log_likelihood(frequency.logit().expand_as(test_images), test_images)

# %% [markdown]
# ## Model
#
# The one structure here is `OneHot`: its utilities are the encoder's outputs, [batch, L, K], and
# its law q has a `kl` in closed form. The prior is uniform: all utilities 0.


# %%
class Autoencoder(nn.Module):
    def __init__(self, latents):
        super().__init__()
        self.latents, self.category = latents, OneHot(categories=K)
        self.encoder = nn.Sequential(nn.Linear(64, WIDTH), nn.ReLU(), nn.Linear(WIDTH, latents * K))
        self.decoder = nn.Sequential(nn.Linear(latents * K, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 64))

    def utilities(self, images):
        return self.encoder(images).unflatten(-1, (self.latents, K))

    def kl(self, theta):
        return self.category.kl(theta, torch.zeros_like(theta)).sum(-1)

    def draw(self, z):
        return self.decoder(z.flatten(-2))

    def elbo(self, images, sample, step, seed=options.seed):
        """A bound for each image from one draw. Other steps read other random streams."""
        theta = self.utilities(images)
        offset = step * images.shape[0] * self.latents
        utility = perturb("gumbel", theta, seed=seed, offset=offset)
        return log_likelihood(self.draw(sample(self.category, utility)), images) - self.kl(theta)


# %% [markdown]
# ## Samples
#
# All three take the same random utilities. *Hard* is what the model means and what is tested.
# *Soft* is what it is trained with: the decoder sees blends of categories, and the gradient is
# exactly that of the blended objective. *Straight-through* shows the decoder the hard sample and
# pretends in the backward pass that it was the soft one.


# %%
def hard(category, utility):
    return category.argmax(utility)


def soft(category, utility, temperature=0.3):
    return category.relax(utility, temperature)


def straight_through(category, utility):
    blend = soft(category, utility)
    return hard(category, utility) + blend - blend.detach()


# %% [markdown]
# ## Training
#
# One latent of K categories can also be summed over exactly: the decoder draws all K pictures and
# the expectation is taken with q's probabilities. That is the gradient without noise and without
# bias, which shows what sampling costs. With L latents there would be K^L pictures to draw.


# %%
def enumerated(model, images):
    theta = model.utilities(images)
    pictures = model.draw(torch.eye(K).unsqueeze(1))  # [K, 64]
    fits = log_likelihood(pictures, images.unsqueeze(1))  # [batch, K]
    return (theta.softmax(-1).squeeze(1) * fits).sum(-1) - model.kl(theta)


def fit(title, latents, sample):
    torch.manual_seed(options.seed)  # all models start alike and see the same batches
    model = Autoencoder(latents)

    def loss(step):
        images = train_images[torch.randint(len(train_images), (BATCH,))]
        bound = model.elbo(images, sample, step) if sample else enumerated(model, images)
        return -bound.mean()

    common.train(title, [model], loss, options.steps, rate=6e-3)
    return model


models = {
    "1 latent, summed over exactly": fit("exact", 1, None),
    "1 latent, Gumbel-softmax": fit("Gumbel-softmax, 1 latent", 1, soft),
    f"{L} latents, straight-through": fit("straight-through", L, straight_through),
    f"{L} latents, Gumbel-softmax": fit("Gumbel-softmax", L, soft),
}

# %% [markdown]
# ## What was reached
#
# The ELBO of the test images with hard samples, the mean of several draws for each image. Trained
# on soft samples or not, this is an honest bound of the discrete model.


# %%
@torch.no_grad()
def test(model, draws=4 if options.quick else 20):
    bounds = [model.elbo(test_images, hard, d, seed=options.seed + 1) for d in range(draws)]
    return torch.stack(bounds).mean(0)


print(f"ELBO of {len(test_images)} test images in nats, hard samples, mean +- standard error")
common.show("pixels alone, no latents", pixels_alone, "(without learning)")
for name, model in models.items():
    common.show(name, reached := test(model))
common.conclude(options, "digits_vae", reached, pixels_alone)

# %% [markdown]
# ## Picture
#
# Test images, their reconstructions from one hard sample each, and what the decoder makes of
# categories drawn at random from the uniform prior.

# %%
with torch.no_grad():
    shown = test_images[:12]
    utility = perturb("gumbel", model.utilities(shown), seed=options.seed + 2)
    reconstructions = model.draw(hard(model.category, utility)).sigmoid()
    prior = perturb("gumbel", torch.zeros(12, L, K), seed=options.seed + 3)
    samples = model.draw(hard(model.category, prior)).sigmoid()

figure = common.figure(7, 2.1)
grid = figure.subplots(3, 12)
for axes, images, title in zip(
    grid, (shown, reconstructions, samples), ("test", "reconstructed", "sampled"), strict=True
):
    for place, image in zip(axes, images, strict=True):
        common.grey(place, image.reshape(8, 8))
    axes[0].set_ylabel(title, rotation=0, ha="right", va="center", fontsize=9)
common.save(figure, options, "digits_vae")
