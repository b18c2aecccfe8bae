"""Speed of transformers' generate with one thread, the same shape and sampling as bench_generate."""
import argparse

import torch

from common import Clock, gpt2, report_rate


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=500)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    model = gpt2().eval()
    if arguments.precision == "bfloat16":
        model = model.to(torch.bfloat16)
    prompt = torch.zeros(arguments.batch, 1, dtype=torch.long)
    with torch.inference_mode(), Clock() as clock:
        made = model.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=arguments.tokens,
                              do_sample=True, top_k=50, temperature=1.0)
    assert made.shape == (arguments.batch, 1 + arguments.tokens)
    report_rate(arguments.batch * arguments.tokens, clock, what="generate", who="transformers",
                precision=arguments.precision, batch=arguments.batch, unit="tokens/s")


if __name__ == "__main__":
    main()
