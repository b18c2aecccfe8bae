"""What MidiTok does, for tests to compare with. Reads JSON from argv[2], prints JSON.

vocabulary         -> the tokens
scores FILE        -> for each score (as miditok_oracle.h writes it) its ids, the score that MidiTok makes of it before
                      it writes tokens, and the one that it decodes
files FILE         -> the same of MIDI files
sequences FILE     -> for each list of ids the score it decodes to, and MidiTok's count of errors in it
"""
import importlib.metadata
import json
import sys

# MidiTok tokenizes without torch, but the Hub's client imports it wherever it is installed, for many seconds.
installed_version = importlib.metadata.version


def version_without_torch(name):
    if name in ("torch", "safetensors"):
        raise importlib.metadata.PackageNotFoundError(name)
    return installed_version(name)


importlib.metadata.version = version_without_torch
sys.modules["torch"] = None

from miditok import REMI
from symusic import Note, Score, TimeSignature, Track
from symusic.core import NoteTickList, TimeSignatureTickList

TICKS_PER_QUARTER = 16
tokenizer = REMI()
BEGIN, END = tokenizer["BOS_None"], tokenizer["EOS_None"]


def merged(score):
    """One track with the notes of all pitched tracks, in their order, sorted stably by start."""
    notes = [note for track in score.tracks if not track.is_drum for note in track.notes]
    notes.sort(key=lambda note: note.time)
    result = Score(score.ticks_per_quarter)
    result.time_signatures = score.time_signatures
    track = Track()
    track.notes = NoteTickList(notes)
    result.tracks.append(track)
    return result


def built(description):
    score = Score(description["ticks_per_quarter"])
    score.time_signatures = TimeSignatureTickList([TimeSignature(*change) for change in description["time_signatures"]])
    for drums, notes in description["tracks"]:
        track = Track(is_drum=drums)
        track.notes = NoteTickList([Note(*note) for note in notes])
        score.tracks.append(track)
    return score


def described(score):
    scale = TICKS_PER_QUARTER // score.ticks_per_quarter
    notes = [[n.time * scale, n.duration * scale, n.pitch, n.velocity] for track in score.tracks for n in track.notes]
    meters = [[t.time * scale, t.numerator, t.denominator] for t in score.time_signatures]
    return {"notes": sorted(notes, key=lambda note: note[0]), "time_signatures": sorted(meters, key=lambda t: t[0])}


def encoded(score):
    score = merged(score)
    prepared = tokenizer.preprocess_score(score)
    ids = [BEGIN, *tokenizer.encode(score)[0].ids, END]
    # Where the only meters over 8 are replaced at their own bar line, MidiTok leaves notes between the positions of 4/4,
    # and its own decode does not give the notes back.
    denominators = {t.denominator for t in prepared.time_signatures}
    between = prepared.ticks_per_quarter == TICKS_PER_QUARTER and denominators == {4}
    return {"ids": ids, "prepared": None if between else described(prepared), "decoded": described(tokenizer.decode([ids]))}


def checked(ids):
    return {"decoded": described(tokenizer.decode([ids])), "errors": tokenizer.tokens_errors([ids])[0] if ids else 0}


mode = sys.argv[1]
given = json.load(open(sys.argv[2])) if len(sys.argv) > 2 else None
if mode == "vocabulary":
    result = sorted(tokenizer.vocab, key=tokenizer.vocab.get)
elif mode == "scores":
    result = [encoded(built(score)) for score in given]
elif mode == "files":
    result = [encoded(Score(file)) for file in given]
elif mode == "sequences":
    result = [checked(ids) for ids in given]
json.dump(result, sys.stdout)
