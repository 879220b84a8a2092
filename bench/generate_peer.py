"""The peer of bench/generate.py: a Wan pipeline of diffusers, 7.5 M weights, random ones.

    python bench/generate_peer.py --steps 20

It is built offline, as diffusers' own tests build theirs. Its pictures are noise, but what a
latent video model of that size costs does not depend on its weights. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
FRAMES, SIDE_PX, NATIVE_FPS = 17, 128, 3.2  # 17 frames of a house scene's rate: 5.3 s of video


def pipeline() -> Any:
    """Return the pipeline of the reference measurement: 6 heads of 32, 12 layers."""
    from diffusers import (
        AutoencoderKLWan,
        FlowMatchEulerDiscreteScheduler,
        WanPipeline,
        WanTransformer3DModel,
    )
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel

    words = {"<pad>": 0, "</s>": 1, "<unk>": 2, "a": 3, "red": 4, "car": 5}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(WordLevel(words, "<unk>")),
        pad_token="<pad>", eos_token="</s>", unk_token="<unk>",
    )  # fmt: skip
    text = T5Config(vocab_size=8, d_model=64, d_kv=16, d_ff=128, num_layers=2, num_heads=4)
    return WanPipeline(
        tokenizer=tokenizer,
        text_encoder=T5EncoderModel(text),
        vae=AutoencoderKLWan(
            base_dim=12, z_dim=16, dim_mult=[1, 2, 4, 4], num_res_blocks=1,
            temperal_downsample=[False, True, True],
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        transformer=WanTransformer3DModel(
            patch_size=(1, 2, 2), num_attention_heads=6, attention_head_dim=32, in_channels=16,
            out_channels=16, text_dim=64, freq_dim=256, ffn_dim=768, num_layers=12,
            cross_attn_norm=True, qk_norm="rms_norm_across_heads", rope_max_seq_len=64,
        ),
    )  # fmt: skip


def main() -> None:
    """Make one clip and print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=20)
    asked = parser.parse_args()
    pipe = pipeline()
    pipe.set_progress_bar_config(disable=True)
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    pipe(
        "a red car", negative_prompt="", height=SIDE_PX, width=SIDE_PX, num_frames=FRAMES,
        num_inference_steps=asked.steps, guidance_scale=6.0, max_sequence_length=16,
        output_type="np",
    )  # fmt: skip
    weights = sum(part.numel() for part in pipe.transformer.parameters())
    print(
        json.dumps(
            {
                "weights": weights,
                "video_s": FRAMES / NATIVE_FPS,
                "wall_s": time.perf_counter() - wall_s,
                "cpu_s": time.process_time() - cpu_s,
                "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
