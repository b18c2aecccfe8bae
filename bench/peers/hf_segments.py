"""Speed of transformers with one thread where models hear segment after segment, the same shapes as bench_segments: its
Transformer-XL (with .deps/oracle-xl on PYTHONPATH, the last version that has it) or its GPT-2. Prints one JSON line."""
import argparse
import warnings

warnings.filterwarnings("ignore", category=FutureWarning)
import torch
import transformers

from common import VOCABULARY, Clock, gpt2, median, report_rate

WARM_UP = 1  # allocates; the memory is full of zeros from the beginning


def transformer_xl(dropout, tokens):
    torch.manual_seed(1)
    return transformers.TransfoXLLMHeadModel(transformers.TransfoXLConfig(
        vocab_size=VOCABULARY, cutoffs=[], div_val=1, d_model=256, d_embed=256, n_head=8, d_head=32, d_inner=1024,
        n_layer=6, mem_len=tokens, clamp_len=-1, same_length=False, dropout=dropout, dropatt=0.0, eos_token_id=0))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=["transformer_xl", "gpt2"], default="transformer_xl")
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--evaluate", action="store_true")
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    remembers = arguments.kind == "transformer_xl"
    model = (transformer_xl(arguments.dropout, arguments.tokens) if remembers
             else gpt2(arguments.dropout, tokens=arguments.tokens))
    model.train(not arguments.evaluate)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
    mems, clocks = None, []
    for _ in range(WARM_UP + arguments.steps):
        rows = torch.randint(VOCABULARY, (arguments.rows, arguments.tokens))
        more = {"mems": mems} if remembers else {}
        with Clock() as clock:
            if arguments.evaluate:
                with torch.inference_mode():
                    output = model(rows, labels=rows, **more)
                output.loss.item()
            else:
                output = model(rows, labels=rows, **more)
                output.loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                optimizer.zero_grad()
        mems = output.mems if remembers else None
        clocks.append(clock)
    report_rate(arguments.rows * arguments.tokens, median(clocks[WARM_UP:]),
                what="segments, evaluation" if arguments.evaluate else "segments, training",
                who=f"transformers {transformers.__version__}", kind=arguments.kind, tokens=arguments.tokens,
                dropout=arguments.dropout, precision="float32", unit="tokens/s")


if __name__ == "__main__":
    main()
