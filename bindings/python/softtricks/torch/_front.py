"""What PyTorch adds to the text that front ends share: tensors, and calls of the operators."""

import torch

from .._front import FrontEnd
from . import _rules
from ._library import registry


class TorchFrontEnd(FrontEnd):
    def call(self, verb, *arguments):
        if torch.compiler.is_compiling():
            return _rules.call(verb, *arguments)
        try:
            return _rules.call(verb, *arguments)
        except RuntimeError as error:
            message = str(error)
            if isinstance(error, NotImplementedError) or not message.startswith("softtricks: "):
                raise
            raise ValueError(message.removeprefix("softtricks: ")) from None

    def structure_size(self, name, shape):
        return self.call("structure_size", name, shape)  # torch.compile knows the operator

    def array(self, name, value):
        _check_tensor(name, value)
        if value.dtype in (torch.float16, torch.bfloat16):
            return value.float()
        if value.dtype not in (torch.float32, torch.float64):
            raise ValueError(
                f"{name}: expected float32 or float64 (or half precision), not "
                f"{str(value.dtype).removeprefix('torch.')}; convert it, as in "
                f"{name}.to(torch.float32)"
            )
        return value

    def like(self, name, value, first_name, first):
        _check_tensor(name, value)
        _check_device(name, value, first_name, first)
        return value.to(first.dtype)

    def integers(self, name, value, utility):
        device = None if isinstance(value, torch.Tensor) else utility.device
        value = torch.as_tensor(value, device=device)
        _check_device(name, value, "utility", utility)
        if value.is_floating_point() or value.is_complex() or value.dtype is torch.bool:
            raise ValueError(f"{name}: expected integers, not {value.dtype}")
        return value.to(torch.int64)

    def broadcast(self, first, second):
        return torch.broadcast_tensors(first, second)

    def expand(self, array, shape):
        return array.expand(shape)

    def divide(self, utility, temperature):
        """Without 0 * inf in the gradient where an entry is excluded."""
        self.array("temperature", temperature)
        temperature = self.like("temperature", temperature, "utility", utility)
        if not (torch.compiler.is_compiling() or _rules.transforming()):
            if not bool((temperature > 0).all()):
                raise ValueError("temperature: expected numbers > 0 in the tensor")
        utility, temperature = self.broadcast_named("temperature", utility, temperature)
        excluded = utility.isinf()
        scaled = torch.where(excluded, 0.0, utility) / temperature
        return torch.where(excluded, utility, scaled)

    def constant(self, array):
        return array.detach()

    def is_array(self, value):
        return isinstance(value, torch.Tensor)

    def symbolic(self, value):
        """Under torch.compile a number may stand for any, and a conversion would fix it."""
        return torch.compiler.is_compiling()


def _check_tensor(name, value):
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{name}: expected a torch.Tensor, not {type(value).__name__}")


def _check_device(name, tensor, first_name, first):
    if tensor.device != first.device:
        raise ValueError(
            f"{name}: expected on {first.device}, the device of {first_name}, not on "
            f"{tensor.device}; move one of them, as in {name}.to({first_name}.device)"
        )


front = TorchFrontEnd(registry)
