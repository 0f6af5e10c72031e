"""How each part of a directive is applied to a `generate` call: one file a knob."""
