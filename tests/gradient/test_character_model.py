"""The character language model: what it writes, from which state, and what it refuses."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from homeonet.errors import InputError
from homeonet.gradient.networks import CharacterModel, Parts


@pytest.fixture(params=["lif", "trlif", "dsn", "slidingpsn"])
def writer(request: pytest.FixtureRequest) -> CharacterModel:
    torch.manual_seed(2)
    options = {"kernel": 4} if request.param == "slidingpsn" else {}
    model = CharacterModel(11, Parts(request.param, options=options), width=16, depth=2).double()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            parameter.data *= 3  # livelier, so that what was written matters
    return model


def test_writing_equals_sampling_from_whole_sequences(writer: CharacterModel) -> None:
    prompt = torch.randint(11, (6, 2), generator=torch.Generator().manual_seed(3))
    written = writer.generate(prompt, 12, temperature=0.7, seed=5)
    assert written.shape == (12, 2) and writer.training
    generator, text = torch.Generator().manual_seed(5), prompt
    writer.eval()
    for symbols in written:
        with torch.no_grad():
            logits = writer(text)[-1].float()  # from rest, over all that is there
        weights = (logits / 0.7).exp() / (logits / 0.7).exp().sum(-1, keepdim=True)
        assert (torch.multinomial(weights, 1, generator=generator)[:, 0] == symbols).all()
        text = torch.cat([text, symbols[None]])
    assert len(set(written.flatten().tolist())) > 3
    assert not (writer.generate(prompt, 12, temperature=0.7, seed=6) == written).all()


def test_writing_keeps_a_state_of_constant_size(writer: CharacterModel) -> None:
    sizes: list[int] = []

    def numbers(state: object) -> int:
        if isinstance(state, Tensor):
            return state.numel()
        parts = state if isinstance(state, tuple | list) else getattr(state, "__dict__", {}).values()
        return sum(map(numbers, parts))

    neuron = writer.blocks[1].branch.neuron
    neuron.register_forward_hook(lambda *_: sizes.append(numbers(neuron._state)))
    writer.generate(torch.zeros(40, 1, dtype=torch.int64), 30)
    assert len(sizes) == 30 and sizes[0] > 0 and set(sizes) == {sizes[0]}
    assert neuron._state is None


def test_writing_depends_on_the_seed_alone(writer: CharacterModel) -> None:
    prompt = torch.randint(11, (4, 3), generator=torch.Generator().manual_seed(8))
    weights = {name: value.clone() for name, value in writer.state_dict().items()}
    first = writer.generate(prompt, 9, seed=4)
    torch.rand(5)  # the caller's random numbers have no part in it
    state = torch.random.get_rng_state()
    again = writer.generate(prompt, 9, seed=4)
    assert first.shape == (9, 3) and first.dtype == torch.int64 and again.equal(first)
    assert first.min() >= 0 and first.max() < 11
    assert torch.random.get_rng_state().equal(state)
    assert all(writer.state_dict()[name].equal(value) for name, value in weights.items())


def test_cold_writing_takes_the_likeliest_symbols(writer: CharacterModel) -> None:
    text = torch.randint(11, (4, 3), generator=torch.Generator().manual_seed(8))
    written = writer.generate(text, 9, temperature=1e-4)
    writer.eval()
    for symbols in written:
        with torch.no_grad():
            assert writer(text)[-1].argmax(-1).equal(symbols)
        text = torch.cat([text, symbols[None]])


def test_bad_input(writer: CharacterModel) -> None:
    prompt = torch.zeros(2, 1, dtype=torch.int64)
    for bad in ({"temperature": 0.0}, {"length": 0}):
        with pytest.raises(InputError, match="positive temperature"):
            writer.generate(prompt, **{"length": 3} | bad)
    with pytest.raises(InputError, match="integers of shape"):
        writer(prompt.double())
    with pytest.raises(InputError, match="sees the future"):
        CharacterModel(11, Parts("psn"))


@pytest.mark.parametrize("symbols", [torch.tensor([[4]]), torch.tensor([[-1]]), torch.tensor([[True]])])
def test_symbols_outside_the_alphabet_are_refused(symbols: Tensor) -> None:
    with pytest.raises(InputError, match="symbols"):
        CharacterModel(4, Parts("lif", 2), width=8, depth=1)(symbols)
