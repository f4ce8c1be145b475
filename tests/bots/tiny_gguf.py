"""A language model of no wit: a GGUF file with seeded random weights, written here.

Real enough for llama.cpp to load and sample from: a two-layer transformer, a byte-level
vocabulary, ChatML.

Source:
    ggml-org/ggml, docs/gguf.md (the format, version 3), and the tensor names that
    llama.cpp's architecture "llama" asks for.
"""

from __future__ import annotations

import random
import struct
from array import array
from pathlib import Path

WIDTH, LAYERS, HEADS, INNER, CONTEXT = 64, 2, 4, 128, 512
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
ALIGNMENT = 32
KINDS = {"u32": (4, "<I"), "i32": (5, "<i"), "f32": (6, "<f"), "bool": (7, "<?"), "str": (8, "")}
ARRAY = 9


def write_model(path: Path, *, seed: int = 7) -> None:
    """Write the model. The same seed writes the same bytes."""
    tensors = list(_tensors(random.Random(seed)))
    pairs = list(_pairs())
    infos, data = b"", b""
    for name, shape, values in tensors:
        dims = b"".join(struct.pack("<Q", size) for size in shape)
        infos += _string(name) + struct.pack("<I", len(shape)) + dims
        infos += struct.pack("<IQ", 0, len(data))  # 0 is F32
        data += _padded(values.tobytes())
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs)) + b"".join(pairs) + infos
    path.write_bytes(_padded(head) + data)


def _tensors(chance: random.Random) -> list[tuple[str, tuple[int, ...], array[float]]]:
    def drawn(*shape: int) -> tuple[tuple[int, ...], array[float]]:
        count = shape[0] * shape[1]
        return shape, array("f", (chance.gauss(0, 0.3) for _ in range(count)))

    ones = ((WIDTH,), array("f", [1.0] * WIDTH))
    made = [("token_embd", drawn(WIDTH, len(_vocabulary()))), ("output_norm", ones)]
    for layer in range(LAYERS):
        made += [(f"blk.{layer}.{norm}_norm", ones) for norm in ("attn", "ffn")]
        made += [
            (f"blk.{layer}.attn_{one}", drawn(WIDTH, WIDTH)) for one in ("q", "k", "v", "output")
        ]
        made += [(f"blk.{layer}.ffn_{one}", drawn(WIDTH, INNER)) for one in ("gate", "up")]
        made.append((f"blk.{layer}.ffn_down", drawn(INNER, WIDTH)))
    return [(f"{name}.weight", shape, values) for name, (shape, values) in made]


def _vocabulary() -> list[str]:
    """Spell every byte as one character, as GPT-2's tokenizer does."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    spelled = {byte: chr(byte) for byte in printable}
    spelled |= {byte: chr(256 + place) for place, byte in enumerate(others)}
    return [*SPECIAL, *(spelled[byte] for byte in range(256)), f"{spelled[32]}t"]


def _pairs() -> list[bytes]:
    tokens = _vocabulary()
    types = [3] * len(SPECIAL) + [1] * (len(tokens) - len(SPECIAL))  # control, normal
    return [
        _pair("general.architecture", "str", "llama"),
        _pair("general.name", "str", "tiny"),
        _pair("general.file_type", "u32", 0),
        _pair("llama.context_length", "u32", CONTEXT),
        _pair("llama.embedding_length", "u32", WIDTH),
        _pair("llama.block_count", "u32", LAYERS),
        _pair("llama.feed_forward_length", "u32", INNER),
        _pair("llama.attention.head_count", "u32", HEADS),
        _pair("llama.attention.head_count_kv", "u32", HEADS),
        _pair("llama.rope.dimension_count", "u32", WIDTH // HEADS),
        _pair("llama.attention.layer_norm_rms_epsilon", "f32", 1e-5),
        _pair("llama.rope.freq_base", "f32", 10_000.0),
        _pair("llama.vocab_size", "u32", len(tokens)),
        _pair("tokenizer.ggml.model", "str", "gpt2"),
        _pair("tokenizer.ggml.pre", "str", "gpt-2"),
        _list("tokenizer.ggml.tokens", "str", tokens),
        _list("tokenizer.ggml.token_type", "i32", types),
        _list("tokenizer.ggml.merges", "str", [f"{tokens[-1][:-1]} t"]),
        _pair("tokenizer.ggml.bos_token_id", "u32", 0),
        _pair("tokenizer.ggml.eos_token_id", "u32", 2),
        _pair("tokenizer.ggml.eot_token_id", "u32", 2),
        _pair("tokenizer.ggml.add_bos_token", "bool", False),
        _pair("tokenizer.chat_template", "str", CHATML),
    ]


def _pair(key: str, kind: str, value: str | float | bool) -> bytes:
    number, _ = KINDS[kind]
    return _string(key) + struct.pack("<I", number) + _value(kind, value)


def _list(key: str, kind: str, values: list[str] | list[int]) -> bytes:
    number, _ = KINDS[kind]
    head = _string(key) + struct.pack("<IIQ", ARRAY, number, len(values))
    return head + b"".join(_value(kind, value) for value in values)


def _value(kind: str, value: str | float | bool) -> bytes:
    return _string(value) if isinstance(value, str) else struct.pack(KINDS[kind][1], value)


def _string(text: str) -> bytes:
    spelled = text.encode()
    return struct.pack("<Q", len(spelled)) + spelled


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % ALIGNMENT)
