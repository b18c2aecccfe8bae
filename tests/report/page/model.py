#!/usr/bin/env python3
"""Makes up what a report holds (docs/formats.md), from a seed.

  tests/report/page/model.py [--kind usual|many|hostile|bare|seeds] > model.json
"""
import argparse
import json
import math
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "sweep" / "page"))
from stand_in import HOSTILE

KEYS = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]
MEASURES = [("pitch_range", "From the lowest to the highest key", "semitones", 40), ("polyphony", "Notes that sound at once", "notes", 3.1),
            ("pitch_class_entropy", "Variety of keys within the octave", "bits", 2.9), ("empty_beat_rate", "Beats in which nothing begins", "", 0.2),
            ("note_density", "Notes a second", "1/s", 6.4)]


def curve(made, points, steps, rate, start, end, per_note=0):
    step = [round(steps * (i + 1) / points) for i in range(points)]
    loss = [end + (start - end) * math.exp(-4 * (i + 1) / points) + made.gauss(0, 0.05 if not per_note else 0.004) for i in range(points)]
    found = {"step": step, "tokens": [each * 4096 for each in step], "seconds": [round(each * rate, 3) for each in step], "flops": [each * 2.5e12 for each in step],
             "loss": [round(each, 6) for each in loss]}
    if per_note:
        found["loss_per_note"] = [round(each * per_note, 6) for each in loss]
    return found


def matrix(made, n, columns, sure):
    counts = [[int(made.expovariate(1) * 3 * math.exp(-abs(i - j) / 3)) for j in range(columns)] for i in range(n)]
    for i in range(n):
        counts[i][i] += int(sure * 200 * math.exp(-((i - n / 2) ** 2) / n))
    return counts


def evaluation(made, loss, detailed):
    families = {name: {"tokens": tokens, "loss": loss * factor, "perplexity": math.exp(loss * factor), "top1": 0.9 - 0.25 * factor, "top5": 0.99 - 0.1 * factor}
                for name, tokens, factor in (("Bar", 4000, 0.2), ("Position", 30000, 0.8), ("Pitch", 42000, 1.5), ("Velocity", 42000, 1.1), ("Duration", 42000, 0.9))}
    composers = {name: {"pieces": pieces, "tokens": 9000 * pieces, "notes": 3000 * pieces, "loss": loss * factor, "loss_per_note": 3 * loss * factor}
                 for name, pieces, factor in (("chopin", 9, 1), ("bach", 5, 0.8), ("debussy", 3, 1.25), ("", 1, 1.1))}
    positions = [{"from": 0 if i == 0 else 8 * 2 ** i, "to": 16 * 2 ** i - 1, "tokens": 900 * 2 ** min(i, 5), "loss": loss * (1.4 - 0.07 * i)} for i in range(8)]
    bins = [{"from": i / 20, "to": (i + 1) / 20, "tokens": 100 + 90 * i, "confidence": (i + 0.5) / 20, "correct": min(1, max(0, ((i + 0.5) / 20) ** 1.2))} for i in range(20)]
    confusion = {"families": {"names": list(families), "counts": matrix(made, 5, 5, 1)},
                 "pitches": {"lowest": 21, "counts": matrix(made, 88, 89, 1)},
                 "pitch_classes": {"names": KEYS, "counts": matrix(made, 12, 13, 1)},
                 "intervals": {"names": [f"{i:+}" for i in range(-24, 25)], "counts": matrix(made, 49, 50, 1)},
                 "durations": {"names": ["0.1.8", "0.2.8", "0.4.8", "1.0.8", "2.0.8", "4.0.8"], "counts": matrix(made, 6, 7, 1)}}
    return {"by_family": families, "by_position": positions, "by_composer": composers, "by_label": {"mood": {"calm": composers["chopin"], "wild": composers["bach"]}},
            "calibration": {"error": 0.0312, "bins": bins}, "confusion": confusion if detailed else None}


def music(made, shift):
    measures = []
    for name, words, unit, mean in MEASURES:
        values = {"generated": [round(mean * (1 + shift) + made.gauss(0, mean / 6), 4) for _ in range(24)], "reference": [round(mean + made.gauss(0, mean / 7), 4) for _ in range(40)]}
        described = {key: {"mean": sum(each) / len(each), "deviation": mean / 6, "n": len(each)} for key, each in values.items()}
        measures.append({"name": name, "words": words, "unit": unit, "source": "MusPy", **described, "overlap": 0.9 - shift, "distance": abs(shift) * mean, "values": values})
    classes = [[made.random() for _ in KEYS] for _ in range(2)]
    ours, theirs = ([each / sum(part) for each in part] for part in classes)
    apart = list(range(1, 33))
    return {"step": 4000, "checkpoint": "final", "seed": 1, "split": "test", "reference": {"split": "test", "pieces": 40}, "measures": measures,
            "histograms": [{"name": "pitch_classes", "words": "Keys within the octave", "bins": KEYS, "generated": ours, "reference": theirs, "distance": 0.12},
                           {"name": "durations", "words": "How long notes last, in beats", "bins": ["0.25", "0.5", "1", "2", "4"], "generated": [.3, .3, .2, .1, .1], "reference": [.25, .35, .2, .1, .1], "distance": 0.03}],
            "structure": {"words": "How much two bars have in common that lie so many bars apart", "source": "Yu et al. 2022", "bars": apart,
                          "generated": [0.3 + 0.1 / each for each in apart], "reference": [0.3 + (0.15 if each % 4 == 0 else 0) for each in apart], "error": 0.07},
            "copying": {"threshold": 24, "training": {"pieces": 300, "notes": 600000},
                        "generated": {"pieces": 24, "median": 9.5, "max": 64, "copied": 1, "overlap": {"8": 0.31, "16": 0.08, "32": 0.05}, "overlap_exact": {"8": 0.2, "16": 0.07, "32": 0.05}},
                        "held_out": {"pieces": 40, "median": 9, "max": 21, "copied": 0, "overlap": {"8": 0.29, "16": 0.02, "32": 0.0}, "overlap_exact": {"8": 0.2, "16": 0.01, "32": 0.0}},
                        "copies": [{"file": "sample-0001.mid", "sentence": "sample-0001.mid, bars 5 to 8: 64 notes (8 s) of chopin/op28_7.mid, bars 9 to 12, 3 semitones higher"}]}}


def pieces(made, n, bars):
    found = []
    for k in range(n):
        notes = []
        for beat in range(8 * bars):
            if made.random() < 0.85:
                notes.append([round(beat * 0.25, 3), round(made.choice([0.25, 0.5, 0.9]), 3), made.choice([60, 62, 64, 65, 67, 69, 71, 72, 76]), made.randint(30, 120)])
            if beat % 4 == 0:
                notes += [[round(beat * 0.25, 3), 1.0, root + 36, 60] for root in made.choice([(0, 7, 16), (5, 12, 21), (7, 14, 23)])]
        longest = {"notes": 64, "telling": 40, "seconds": 8, "semitones": 3, "source": "chopin/op28_7.mid", "source_bar": 9, "source_last_bar": 12, "bar": 5, "last_bar": 8}
        found.append({"name": f"sample-{k + 1:04}", "file": f"generated/sample-{k + 1:04}.mid", "seconds": 2.0 * bars, "notes": notes, "bars": [2.0 * i for i in range(bars)],
                      "copy": {"longest": longest, "longest_exact": None, "overlap": {"8": 0.4, "32": 0.25}, "overlap_exact": {}, "copied": k == 0}})
    return found


def run(made, i, name, group, seed, loss, points=200, detailed=True):
    kind = "gpt2" if i % 2 == 0 else "transformer_xl"
    return {"id": f"r{i + 1}", "name": name, "folder": f"runs/{name}", "group": group, "seed": str(seed), "kind": kind, "parameters": 2_400_000 + 100_000 * i, "tokens": 16_384_000,
            "seconds": 5400 + 60 * i, "flops": 1.2e16, "step": 4000, "steps": 4000, "state": "finished",
            "cost": {"core_hours": None, "gpu_hours": 1.5, "money": 3.75, "currency": "USD"},
            "metrics": {"loss": loss / 3, "loss_per_note": loss, "loss_per_second": loss * 6, "perplexity": math.exp(loss / 3), "top1": 0.52, "top5": 0.85, "calibration_error": 0.0312, "grammar_errors": 0.004},
            "interval": {"low": loss - 0.06, "high": loss + 0.06}, "marks": [],
            "curves": {"train": curve(made, points, 4000, 1.35, 6, loss / 3 - 0.1), "evaluation": curve(made, max(2, points // 10), 4000, 1.35, 6, loss / 3, per_note=3)},
            "evaluation": evaluation(made, loss / 3, detailed),
            "environment": {"etude": "0.1", "revision": "abc1234", "device": "NVIDIA H100", "ranks": 4, "host": f"node{i % 3}", "started": "2024-05-01T10:00:00Z"},
            "config": {"model.kind": kind, "model.layers": 6 + i, "train.lr": 0.0003, "seed": seed, "data.pack": "packs/piano"},
            "standing": {"sentence": f"Its {loss:.3f} nats per note are {8.1 - loss:.3f} fewer than counting which token follows the last 3 achieves (8.100).", "floor": 8.1,
                         "difference": loss - 8.1, "memorises": i == 0, "warning": "memorising: at the end its loss on the pieces it learns from is 1.2, on others 2.1." if i == 0 else ""},
            "music": music(made, 0.08 * i) if detailed else None, "pieces": pieces(made, 4, 16) if detailed else []}


def model(kind="usual", seed=1):
    made = random.Random(seed)
    lines = {"usual": [("small GPT-2", 3, 6.4), ("Transformer-XL, 12 layers, long memory", 3, 6.1), ("GPT-2 with relative positions", 1, 6.35), ("other test set", 1, 5.2)],
             "many": [(f"trial {i:03}", 1, 6 + 0.01 * ((i * 37) % 200)) for i in range(200)], "hostile": [(text, 1, 6 + 0.1 * i) for i, text in enumerate(HOSTILE)],
             "bare": [("only one", 1, 6.3)], "seeds": [("one configuration", 5, 6.2)]}[kind]
    runs, groups = [], []
    for g, (name, seeds, loss) in enumerate(lines):
        ids = []
        for s in range(seeds):
            made_run = run(made, len(runs), name if seeds == 1 else f"{name}-seed{s + 1}", f"g{g + 1}", s + 1, round(loss + 0.03 * (s - (seeds - 1) / 2), 4),
                           points=1000 if kind == "many" else 200, detailed=kind != "many" or g < 24)
            runs.append(made_run)
            ids.append(made_run["id"])
        groups.append({"id": f"g{g + 1}", "name": name, "runs": ids, "differs": {}, "mean": loss, "deviation": 0.03 if seeds > 1 else None, "interval": {"low": loss - 0.05, "high": loss + 0.05}})
    comparisons, refused = [], []
    for a in range(min(len(groups), 12)):
        for b in range(a + 1, min(len(groups), 12)):
            if kind == "usual" and b == 3:
                refused.append({"a": f"g{a + 1}", "b": "g4", "reason": "they were measured on other music"})
                continue
            difference = round(groups[a]["mean"] - groups[b]["mean"], 4)
            clear = abs(difference) > 0.08
            verdict = ("a better" if difference < 0 else "b better") if clear else "within noise"
            comparisons.append({"a": f"g{a + 1}", "b": f"g{b + 1}", "difference": difference, "low": difference - 0.07, "high": difference + 0.07, "pieces": 40,
                                "seeds": [len(groups[a]["runs"]), len(groups[b]["runs"])], "verdict": verdict, "sentence": f"{groups[a]['name']} and {groups[b]['name']} differ by {difference:+.3f}: {verdict}."})
    if kind == "usual":
        runs[-1]["marks"] = ["measured on other music than the others"]
        runs[-1]["state"], runs[-1]["step"] = "unfinished", 2500
    found = {"made": {"program": "etude 0.1", "revision": "abc1234", "at": "2024-05-02T10:00:00Z"}, "title": "Four ways to write piano music" if kind == "usual" else f"{len(runs)} runs compared",
             "metric": {"name": "loss_per_note", "words": "loss per note: how surprised a model is by each note", "unit": "nats", "split": "test", "goal": "minimize"},
             "summary": ["Transformer-XL, 12 layers, long memory, foretells the music best: 6.100 nats per note (6.050 to 6.150).", "It is better than small GPT-2 by 0.300 nats per note (0.230 to 0.370)."],
             "runs": runs, "groups": groups, "comparisons": comparisons, "refused": refused,
             "differences": [{"key": key, "values": [each["config"][key] for each in runs]} for key in ("model.kind", "model.layers", "seed")] if len(runs) > 1 else [], "preferences": None}
    if kind in ("usual", "hostile"):
        names = [group["name"] for group in groups[:3]]
        found["preferences"] = {"question": "Which piece do you prefer?", "answers": 60, "listeners": 6, "sentences": ["6 listeners gave 60 answers without knowing which model a piece was by."], "sentence": "",
                                "pairs": [{"a": names[0], "b": names[1], "wins_a": 5, "wins_b": 13, "ties": 2, "rate": 0.3, "low": 0.15, "high": 0.49}, {"a": names[0], "b": names[2], "wins_a": 9, "wins_b": 8, "ties": 3, "rate": 0.525, "low": 0.3, "high": 0.74}],
                                "ranking": [{"model": name, "strength": 0.1, "rate": rate, "low": rate - 0.15, "high": rate + 0.15} for name, rate in zip(names[::-1], (0.55, 0.6, 0.35))], "questions": []}
    if kind == "hostile":
        found["title"] = HOSTILE[1]
        found["summary"] = HOSTILE
        found["metric"]["words"] = HOSTILE[0]
        for i, each in enumerate(runs):
            text = HOSTILE[i]
            each["marks"] = each["config"][text] = each["environment"][text] = [text]
            each["pieces"][0]["name"], each["pieces"][0]["copy"]["longest"]["source"] = text, text
            each["evaluation"]["by_composer"][text] = each["evaluation"]["by_composer"]["chopin"]
            each["evaluation"]["by_label"][text] = {text: each["evaluation"]["by_composer"]["chopin"]}
            each["standing"]["sentence"] = each["music"]["measures"][0]["words"] = each["music"]["histograms"][0]["words"] = text
            each["music"]["copying"]["copies"][0]["sentence"] = text
            each["evaluation"]["confusion"]["families"]["names"] = HOSTILE[:5]
        found["differences"] += [{"key": text, "values": HOSTILE} for text in HOSTILE]
        found["refused"] = [{"a": "g1", "b": "g2", "reason": text} for text in HOSTILE]
        found["preferences"]["sentences"] = HOSTILE
    if kind == "bare":
        for key in ("curves", "evaluation", "environment", "config", "standing", "music", "pieces", "cost"):
            found["runs"][0][key] = None
        found["groups"][0]["interval"] = None
        found["runs"][0]["interval"] = None
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", default="usual", choices=["usual", "many", "hostile", "bare", "seeds"])
    json.dump(model(parser.parse_args().kind), sys.stdout)


if __name__ == "__main__":
    main()
