"""Draw every picture of the challenge beside this file: `python pictures/draw.py`."""

from pathlib import Path

from assembly import blocks, training_step
from attention import at_once, one_by_one
from generation import with_a_cache
from lookups import embedding, warm_up
from overview import overview
from parallel import data_parallel
from port import nnx

PICTURES = {
    "image": overview,
    "task0_warm_up": warm_up,
    "task1_embedding": embedding,
    "task2_attention": one_by_one,
    "task3_einsum_attention": at_once,
    "task4_blocks": blocks,
    "task5_training_step": training_step,
    "task6_kv_cache": with_a_cache,
    "task7_data_parallel": data_parallel,
    "task8_nnx": nnx,
}


def main():
    """Write one PNG for each picture."""
    for name, scene in PICTURES.items():
        path = Path(__file__).with_name(f"{name}.png")
        scene().save(path)
        print(f"{path.name}  {path.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
