"""Models that answer or draft in the wrapped model's place: where they come from, and who of them is loaded."""

from sprout_like.engines.variants.host import VariantHost
from sprout_like.engines.variants.pool import VariantPool

__all__ = ["VariantHost", "VariantPool"]
