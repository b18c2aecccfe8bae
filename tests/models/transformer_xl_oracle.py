"""Asks Hugging Face's TransfoXLLMHeadModel about models on disk; see transformer_xl_oracle_test.cpp.

For each folder given: opens config.json and model.safetensors as any user of transformers would, lets every lane hear
its segments of batch.safetensors one after the other, and writes what came out to expected.safetensors. Where there is
a dropout.safetensors, also what comes of dropping that, and a model that transformers itself has made and saved. Computed
in float64, so that what differs is the other side's rounding.
"""
import os
import sys
import warnings

warnings.filterwarnings("ignore", category=FutureWarning)  # what this old transformers asks of a new PyTorch
import torch
from safetensors.torch import load_file, save_file
from transformers import TransfoXLConfig, TransfoXLLMHeadModel
from transformers.utils import logging

logging.set_verbosity_error()
torch.set_num_threads(1)  # the models are small
torch.Tensor.float = lambda tensor: tensor  # attention would mask in float32
COMPUTED = {"transformer.pos_emb.inv_freq"}  # a buffer that files of transformers hold, though it follows from the width


def no_memory(model, lanes):
    """Of length 0. Without any, transformers begins with a full memory of zeros, which attention then looks at."""
    return [torch.zeros(0, lanes, model.config.d_model, dtype=torch.float64) for _ in range(model.config.n_layer)]


def losses(model, hidden, log_probabilities, targets):
    """The negative log-likelihood of each target [lanes, time], 0 where it is -100."""
    found = -log_probabilities.gather(2, targets.clamp(min=0)[..., None])[..., 0] * (targets >= 0)
    # The other way to ask: with labels, which the model shifts, and which come cluster by cluster if not told otherwise.
    # Both ways give tail i the i-th cluster's probability. (ProjectedAdaptiveLogSoftmax.log_prob, which nothing calls,
    # counts clusters backwards and cannot run.)
    shifted = model.crit(torch.cat([hidden, hidden[:, -1:]], 1), torch.cat([targets[:, :1], targets], 1), keep_order=True)
    torch.testing.assert_close(shifted.view_as(found), found)
    return found


def hear(model, tokens, targets, memories):
    """One segment of all lanes. Lanes whose memories are of one length are computed together, as transformers wants it.
    `memories` has a list of tensors [length, width] for each lane; it is replaced."""
    results = {}
    lengths = [lane[0].size(0) for lane in memories]
    for length in sorted(set(lengths)):
        lanes = [i for i, other in enumerate(lengths) if other == length]
        mems = [torch.stack([memories[i][layer] for i in lanes], 1) for layer in range(model.config.n_layer)]
        output = model(tokens[lanes], mems=mems, output_hidden_states=True, return_dict=True)
        hidden = output.hidden_states[-1]
        loss = losses(model, hidden, output.prediction_scores, targets[lanes])
        for row, i in enumerate(lanes):
            results[i] = hidden[row], output.prediction_scores[row], loss[row]
            memories[i] = [memory[:, row] for memory in output.mems]
    return [torch.stack([results[i][part] for i in range(len(memories))]) for part in range(3)]


def learn(model, batch, result):
    segments, lanes, _ = batch["tokens"].shape
    memories = [None] * lanes
    for s in range(segments):
        for i in range(lanes):
            if batch["begins"][s, i]:
                memories[i] = [memory[:, 0] for memory in no_memory(model, 1)]
        hidden, log_probabilities, loss = hear(model, batch["tokens"][s], batch["targets"][s], memories)
        loss.sum().backward()
        result.update({f"hidden.{s}": hidden, f"logits.{s}": log_probabilities, f"losses.{s}": loss})
        for i, lane in enumerate(memories):
            for layer, memory in enumerate(lane):
                result[f"memory.{s}.{layer}.{i}"] = memory
    take_gradients(model, "gradient.", result)


def take_gradients(model, prefix, result):
    for name, parameter in model.named_parameters():
        result[prefix + name] = parameter.grad.clone()
    model.zero_grad()


class Times(torch.nn.Module):
    """Dropout whose factors are given, one after the other when it is called more than once."""

    def __init__(self, *factors):
        super().__init__()
        self.factors = list(factors)

    def forward(self, x):
        factors = self.factors.pop(0)
        assert factors.shape == x.shape, (factors.shape, x.shape)
        return x * factors


def learn_with_dropout(model, batch, factors, result):
    """The first segment without dropout, the second with it; gradients are of the second."""
    lanes = batch["tokens"].size(1)
    with torch.no_grad():
        mems = model(batch["tokens"][0], mems=no_memory(model, lanes)).mems
    by_time = {name: tensor.transpose(0, 1) for name, tensor in factors.items() if tensor.dim() == 3}
    model.transformer.drop = Times(by_time["embedding"], factors["positions"][:, None], by_time["last"])
    for i, layer in enumerate(model.transformer.layers):
        layer.dec_attn.dropatt = Times(factors[f"{i}.attention"].permute(2, 3, 0, 1))
        layer.dec_attn.drop = Times(by_time[f"{i}.attention_output"])
        layer.pos_ff.CoreNet[2] = Times(by_time[f"{i}.inner"])
        layer.pos_ff.CoreNet[4] = Times(by_time[f"{i}.outer"])
    output = model(batch["tokens"][1], mems=mems, output_hidden_states=True, return_dict=True)
    losses(model, output.hidden_states[-1], output.prediction_scores, batch["targets"][1]).sum().backward()
    result["dropped.logits"] = output.prediction_scores
    take_gradients(model, "dropped.gradient.", result)


def write(folder, result):
    save_file({name: tensor.detach().contiguous() for name, tensor in result.items()}, folder + "/expected.safetensors")


for folder in sys.argv[1:]:
    model, info = TransfoXLLMHeadModel.from_pretrained(folder, output_loading_info=True)
    assert set(info["missing_keys"]) <= COMPUTED, info
    assert not any(info[key] for key in ("unexpected_keys", "mismatched_keys", "error_msgs")), info
    model.double().eval()
    batch, result = load_file(folder + "/batch.safetensors"), {}
    learn(model, batch, result)
    thorough = os.path.exists(folder + "/dropout.safetensors")
    if thorough:
        factors = {name: tensor.double() for name, tensor in load_file(folder + "/dropout.safetensors").items()}
        learn_with_dropout(model, batch, factors, result)
    write(folder, result)
    if not thorough:
        continue

    # And a model that transformers has made and saved.
    torch.manual_seed(1)
    theirs = TransfoXLLMHeadModel(TransfoXLConfig.from_pretrained(folder)).eval()
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    theirs.save_pretrained(folder + "/theirs")
    result = {}
    learn(theirs.double(), batch, result)
    write(folder + "/theirs", result)
