"""Draw all pictures of the challenge into this folder: `python pictures/draw.py`."""

from pathlib import Path

from assembly import blocks, training_step
from attention import all_heads, single_heads
from generation import kv_cache
from lookups import embedding, warm_up
from overview import overview
from parallel import data_parallel
from port import nnx

PICTURES = {
    "image": overview,
    "task0_warm_up": warm_up,
    "task1_embedding": embedding,
    "task2_attention": single_heads,
    "task3_einsum_attention": all_heads,
    "task4_blocks": blocks,
    "task5_training_step": training_step,
    "task6_kv_cache": kv_cache,
    "task7_data_parallel": data_parallel,
    "task8_nnx": nnx,
}


def main():
    """Write one PNG for each picture."""
    for name, draw in PICTURES.items():
        path = Path(__file__).with_name(f"{name}.png")
        draw().save(path)
        print(f"{path.name}  {path.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
