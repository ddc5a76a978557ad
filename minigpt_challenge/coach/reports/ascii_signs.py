"""ASCII forms of the signs in our texts, for a terminal whose encoding lacks them."""

import codecs

HANDLER = "minigpt_ascii"  # the name to give to `errors=`
SIGNS = {
    "✓": "+",
    "✗": "x",
    "·": ".",
    "…": "...",
    "−": "-",
    "×": "*",
    "→": "->",
    "≤": "<=",
    "≈": "~",
    "±": "+-",
    "√": "sqrt ",
    "∞": "inf",
    "↵": "\\n",
    "␣": "_",
    "Σ": "sum",
    "ₛ": "_s",
    "ᵀ": "^T",
    "⁴": "^4",
    "⁶": "^6",
    "“": '"',
    "”": '"',
}


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(SIGNS.get(sign, "?") for sign in lacking), error.end


codecs.register_error(HANDLER, _in_ascii)
