"""The same GPT, loss and training step in PyTorch, as a baseline for the JAX code."""

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    """`DecoderBlock` of task 4, with PyTorch's fused attention."""

    def __init__(self, hidden_dim: int, num_heads: int):
        super().__init__()
        C = hidden_dim
        self.num_heads = num_heads
        self.norm1, self.norm2 = nn.LayerNorm(C, eps=1e-6), nn.LayerNorm(C, eps=1e-6)
        self.qkv, self.dense = nn.Linear(C, 3 * C, bias=False), nn.Linear(C, C)
        self.feed_forward = nn.Sequential(nn.Linear(C, 4 * C), nn.ReLU(), nn.Linear(4 * C, C))

    def forward(self, x):
        B, T, C = x.shape
        N = self.num_heads
        q, k, v = self.qkv(self.norm1(x)).view(B, T, 3, N, C // N).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)  # (B, N, T, H)
        x = x + self.dense(mixed.transpose(1, 2).reshape(B, T, C))
        return x + self.feed_forward(self.norm2(x))


class MiniGPT(nn.Module):
    """`MiniGPT` of task 4: tokens (B, T) → logits (B, T, V)."""

    def __init__(
        self, vocab_size: int, hidden_dim: int, block_size: int, num_layers: int, num_heads: int
    ):
        super().__init__()
        self.tokens = nn.Embedding(vocab_size, hidden_dim)
        self.positions = nn.Embedding(block_size, hidden_dim)
        self.blocks = nn.Sequential(*(Block(hidden_dim, num_heads) for _ in range(num_layers)))
        self.norm = nn.LayerNorm(hidden_dim, eps=1e-6)
        self.dense = nn.Linear(hidden_dim, vocab_size)
        for embedding in (self.tokens, self.positions):  # Flax's default; PyTorch's std is 1
            nn.init.normal_(embedding.weight, std=hidden_dim**-0.5)

    def forward(self, tokens):
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        x = self.tokens(tokens) + self.positions(positions)  # (B, T, C)
        return self.dense(self.norm(self.blocks(x)))  # (B, T, V)


def loss_fn(model, x, y):
    """Mean cross-entropy, in nats per token."""
    return F.cross_entropy(model(x).flatten(0, 1), y.flatten())


def get_batch(text, batch_size: int, block_size: int):
    """x and y, integers (B, T): random pieces of the text."""
    starts = torch.randint(len(text) - block_size, (batch_size, 1), device=text.device)
    positions = starts + torch.arange(block_size, device=text.device)
    return text[positions], text[positions + 1]


def make_train_step(model, learning_rate: float, dtype=torch.float32, compiled: bool = False):
    """A function (x, y) → loss that takes one Adam step, with autocast if dtype is not float32."""
    device = next(model.parameters()).device
    adam = torch.optim.Adam(model.parameters(), learning_rate, fused=True)
    compute_loss = torch.compile(loss_fn) if compiled else loss_fn
    mixed_precision = torch.autocast(device.type, dtype, enabled=dtype != torch.float32)

    def step(x, y):
        with mixed_precision:
            loss = compute_loss(model, x, y)
        loss.backward()
        adam.step()
        adam.zero_grad(set_to_none=True)
        return loss.detach()

    return step
