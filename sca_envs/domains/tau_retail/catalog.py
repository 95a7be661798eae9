"""Kinds of product that the generated stores of the retail domain sell.

The kinds, their options and their price ranges are invented for this project. Each kind names
its options and their values; a store draws variants from the combinations.
"""

from typing import NamedTuple


class ProductType(NamedTuple):
    """A kind of product with the options that its variants combine."""

    name: str
    """Display name, singular and in title case."""

    price: tuple[float, float]
    """Lowest and highest price of a variant in dollars."""

    options: dict[str, tuple[str, ...]]
    """Option name -> its possible values, lowercase; no value occurs under two options."""


PRODUCT_TYPES: tuple[ProductType, ...] = (
    ProductType(
        name="Rain Jacket",
        price=(64.00, 128.00),
        options={
            "size": ("small", "medium", "large"),
            "color": ("navy", "olive", "mustard", "charcoal"),
            "hood": ("fixed hood", "packable hood", "detachable hood"),
        },
    ),
    ProductType(
        name="Wool Scarf",
        price=(24.00, 58.50),
        options={
            "color": ("burgundy", "forest green", "camel", "slate"),
            "pattern": ("plain", "herringbone", "tartan"),
            "length": ("150 cm", "180 cm", "200 cm"),
        },
    ),
    ProductType(
        name="Leather Belt",
        price=(28.00, 74.00),
        options={
            "color": ("black", "chestnut", "tan"),
            "length": ("85 cm", "95 cm", "105 cm", "115 cm"),
            "width": ("30 mm", "35 mm", "40 mm"),
            "buckle": ("brass", "matte steel"),
        },
    ),
    ProductType(
        name="Knit Cardigan",
        price=(58.00, 149.00),
        options={
            "size": ("xs", "s", "m", "l", "xl"),
            "color": ("oatmeal", "rust", "teal", "charcoal"),
            "yarn": ("merino", "alpaca", "cotton blend"),
            "closure": ("buttons", "zip"),
        },
    ),
    ProductType(
        name="Baseball Cap",
        price=(16.00, 38.00),
        options={
            "color": ("khaki", "navy", "maroon", "white"),
            "closure": ("snapback", "strapback", "stretch fit"),
            "fabric": ("twill", "corduroy", "canvas"),
        },
    ),
    ProductType(
        name="Bathrobe",
        price=(42.00, 98.00),
        options={
            "size": ("small", "medium", "large"),
            "color": ("ivory", "sage", "plum", "dove gray"),
            "fabric": ("terry", "waffle cotton", "plush fleece"),
        },
    ),
    ProductType(
        name="Leather Wallet",
        price=(22.00, 96.00),
        options={
            "color": ("black", "cognac", "dark green"),
            "fold": ("bifold", "trifold", "zip-around"),
            "card slots": ("6 slots", "8 slots", "12 slots"),
        },
    ),
    ProductType(
        name="Ceiling Fan",
        price=(119.00, 389.00),
        options={
            "blade span": ("42 in", "52 in", "60 in"),
            "finish": ("brushed nickel", "matte black", "antique bronze"),
            "control": ("pull chain", "wall switch", "remote"),
            "light kit": ("with light", "without light"),
        },
    ),
    ProductType(
        name="Floor Mirror",
        price=(89.00, 249.00),
        options={
            "shape": ("arched", "oval", "rectangular"),
            "height": ("140 cm", "160 cm", "180 cm"),
            "frame": ("oak", "brass", "black metal"),
        },
    ),
    ProductType(
        name="Area Rug",
        price=(79.00, 540.00),
        options={
            "size": ("3 x 5 ft", "5 x 8 ft", "8 x 10 ft"),
            "pattern": ("geometric", "floral", "striped", "solid"),
            "fiber": ("wool", "jute", "polypropylene"),
        },
    ),
    ProductType(
        name="Dining Table",
        price=(349.00, 899.00),
        options={
            "shape": ("round", "oval", "rectangular"),
            "seating": ("four seats", "six seats", "eight seats"),
            "wood": ("oak", "walnut", "acacia"),
        },
    ),
    ProductType(
        name="Bar Stool",
        price=(69.00, 189.00),
        options={
            "height": ("24 in", "26 in", "30 in"),
            "upholstery": ("velvet", "linen", "faux leather"),
            "leg finish": ("black", "chrome", "walnut"),
        },
    ),
    ProductType(
        name="Mattress",
        price=(249.00, 899.00),
        options={
            "size": ("twin", "full", "queen", "king"),
            "firmness": ("soft", "medium", "firm"),
            "fill": ("memory foam", "latex", "pocket springs"),
        },
    ),
    ProductType(
        name="Weighted Blanket",
        price=(54.00, 139.00),
        options={
            "weight": ("10 lb", "15 lb", "20 lb", "25 lb"),
            "color": ("navy", "blush", "stone"),
            "cover": ("minky", "bamboo", "cotton"),
        },
    ),
    ProductType(
        name="Duvet Cover",
        price=(39.00, 129.00),
        options={
            "size": ("twin", "queen", "king"),
            "color": ("white", "sand", "indigo", "terracotta"),
            "weave": ("percale", "sateen", "flannel"),
            "closure": ("buttons", "zipper"),
        },
    ),
    ProductType(
        name="Shower Curtain",
        price=(14.00, 42.00),
        options={
            "length": ("72 in", "78 in", "84 in"),
            "pattern": ("stripes", "botanical", "tiles", "plain white"),
            "material": ("polyester", "cotton", "eva"),
        },
    ),
    ProductType(
        name="Chef Knife",
        price=(39.00, 219.00),
        options={
            "blade length": ("6 in", "8 in", "10 in"),
            "steel": ("stainless", "high carbon", "damascus"),
            "handle": ("pakkawood", "olive wood", "resin"),
        },
    ),
    ProductType(
        name="Stand Mixer",
        price=(189.00, 479.00),
        options={
            "bowl capacity": ("4.5 l", "5.5 l", "6.5 l"),
            "color": ("cream", "mint", "graphite", "cherry red"),
            "power": ("300 w", "500 w", "800 w"),
        },
    ),
    ProductType(
        name="Blender",
        price=(39.00, 199.00),
        options={
            "jar capacity": ("1 l", "1.5 l", "2 l"),
            "jar material": ("glass", "tritan", "stainless steel"),
            "power": ("600 w", "900 w", "1200 w"),
        },
    ),
    ProductType(
        name="Rice Cooker",
        price=(29.00, 179.00),
        options={
            "capacity": ("3 cups", "6 cups", "10 cups"),
            "inner pot": ("nonstick", "ceramic", "cast iron"),
            "control": ("one switch", "touch panel"),
            "color": ("white", "black", "silver"),
        },
    ),
    ProductType(
        name="Cutting Board",
        price=(14.00, 88.00),
        options={
            "material": ("maple", "bamboo", "acacia", "composite"),
            "size": ("small", "medium", "large"),
            "edge": ("flat edge", "juice groove"),
        },
    ),
    ProductType(
        name="Lunch Box",
        price=(12.00, 38.00),
        options={
            "compartments": ("one compartment", "two compartments", "four compartments"),
            "color": ("coral", "sky blue", "lime", "gray"),
            "material": ("plastic", "stainless steel"),
        },
    ),
    ProductType(
        name="Spice Rack",
        price=(18.00, 64.00),
        options={
            "mounting": ("wall mounted", "countertop", "in drawer"),
            "material": ("bamboo", "steel wire", "acrylic"),
            "jar count": ("12 jars", "16 jars", "24 jars"),
        },
    ),
    ProductType(
        name="Camping Tent",
        price=(99.00, 459.00),
        options={
            "capacity": ("two person", "three person", "four person", "six person"),
            "season": ("three season", "four season"),
            "color": ("orange", "forest green", "sand"),
            "poles": ("aluminum", "fiberglass"),
        },
    ),
    ProductType(
        name="Sleeping Bag",
        price=(79.00, 349.00),
        options={
            "comfort rating": ("0 f", "20 f", "40 f"),
            "insulation": ("goose down", "synthetic"),
            "shape": ("mummy", "rectangular", "quilt"),
            "length": ("regular", "long"),
        },
    ),
    ProductType(
        name="Hammock",
        price=(29.00, 119.00),
        options={
            "fabric": ("parachute nylon", "cotton", "polyester rope"),
            "capacity": ("single", "double"),
            "color": ("teal", "sunset orange", "natural", "slate"),
        },
    ),
    ProductType(
        name="Trekking Pole",
        price=(24.00, 139.00),
        options={
            "shaft": ("carbon", "aluminum"),
            "grip": ("cork", "foam", "rubber"),
            "locking": ("twist lock", "flip lock", "folding"),
            "max length": ("125 cm", "135 cm"),
        },
    ),
    ProductType(
        name="Kayak Paddle",
        price=(49.00, 289.00),
        options={
            "length": ("220 cm", "230 cm", "240 cm"),
            "shaft": ("aluminum", "fiberglass", "carbon"),
            "blade color": ("yellow", "red", "lime"),
        },
    ),
    ProductType(
        name="Picnic Cooler",
        price=(39.00, 299.00),
        options={
            "capacity": ("20 l", "35 l", "50 l"),
            "body": ("hard sided", "soft sided"),
            "color": ("white", "seafoam", "tan", "navy"),
        },
    ),
    ProductType(
        name="Headlamp",
        price=(18.00, 89.00),
        options={
            "brightness": ("200 lumens", "400 lumens", "800 lumens"),
            "power": ("aaa cells", "usb-c"),
            "color": ("black", "orange", "lime"),
            "beam": ("spot", "flood"),
        },
    ),
    ProductType(
        name="Fishing Rod",
        price=(34.00, 219.00),
        options={
            "length": ("6 ft", "6.5 ft", "7 ft", "8 ft"),
            "action": ("fast", "moderate", "slow"),
            "blank": ("graphite", "fiberglass"),
        },
    ),
    ProductType(
        name="Tennis Racket",
        price=(39.00, 259.00),
        options={
            "grip size": ("4.25 in", "4.375 in", "4.5 in"),
            "head size": ("midsize", "mid plus", "oversize"),
            "weight": ("265 g", "285 g", "305 g"),
        },
    ),
    ProductType(
        name="Rowing Machine",
        price=(299.00, 890.00),
        options={
            "resistance": ("magnetic", "water", "air"),
            "frame": ("steel", "ash wood", "aluminum"),
            "display": ("basic counter", "backlit lcd", "touchscreen"),
        },
    ),
    ProductType(
        name="Computer Monitor",
        price=(129.00, 799.00),
        options={
            "screen size": ("24 in", "27 in", "32 in"),
            "resolution": ("full hd", "qhd", "4k"),
            "panel": ("ips", "va", "oled"),
            "refresh rate": ("60 hz", "144 hz"),
        },
    ),
    ProductType(
        name="Wireless Router",
        price=(49.00, 399.00),
        options={
            "standard": ("wi-fi 5", "wi-fi 6", "wi-fi 7"),
            "ports": ("two ports", "four ports", "eight ports"),
            "color": ("white", "black"),
        },
    ),
    ProductType(
        name="External Drive",
        price=(49.00, 329.00),
        options={
            "capacity": ("500 gb", "1 tb", "2 tb", "4 tb"),
            "drive type": ("ssd", "hard disk"),
            "connector": ("usb-a", "usb-c", "thunderbolt"),
            "color": ("silver", "midnight blue"),
        },
    ),
    ProductType(
        name="Record Player",
        price=(99.00, 549.00),
        options={
            "drive": ("belt drive", "direct drive"),
            "finish": ("walnut", "gloss black", "white"),
            "output": ("phono", "usb", "bluetooth"),
        },
    ),
    ProductType(
        name="Acoustic Guitar",
        price=(119.00, 780.00),
        options={
            "body": ("dreadnought", "concert", "parlor"),
            "top wood": ("spruce", "cedar", "mahogany"),
            "finish": ("natural", "sunburst", "matte black"),
        },
    ),
    ProductType(
        name="Chess Set",
        price=(24.00, 210.00),
        options={
            "board size": ("12 in", "15 in", "18 in"),
            "material": ("maple", "rosewood", "marble", "vinyl"),
            "storage": ("folding board", "inner drawer", "carry bag"),
        },
    ),
    ProductType(
        name="Fountain Pen",
        price=(19.00, 189.00),
        options={
            "nib": ("extra fine", "medium", "broad", "stub"),
            "body color": ("black", "deep blue", "amber", "ivory"),
            "filling": ("cartridge", "piston", "converter"),
        },
    ),
    ProductType(
        name="Sewing Machine",
        price=(119.00, 620.00),
        options={
            "type": ("mechanical", "computerized"),
            "stitches": ("23 stitches", "60 stitches", "100 stitches"),
            "color": ("white", "lavender", "mint"),
        },
    ),
    ProductType(
        name="Cordless Drill",
        price=(49.00, 219.00),
        options={
            "voltage": ("12 v", "18 v", "20 v"),
            "battery": ("1.5 ah", "2 ah", "4 ah"),
            "chuck": ("keyed", "keyless"),
            "kit": ("bare tool", "soft bag", "hard case"),
        },
    ),
    ProductType(
        name="Plant Pot",
        price=(9.00, 68.00),
        options={
            "material": ("terracotta", "glazed ceramic", "concrete"),
            "diameter": ("10 cm", "15 cm", "20 cm", "30 cm"),
            "color": ("white", "charcoal", "sage", "ochre"),
        },
    ),
    ProductType(
        name="Bird Feeder",
        price=(14.00, 72.00),
        options={
            "style": ("tube", "hopper", "platform", "window"),
            "material": ("cedar", "metal", "clear plastic"),
            "capacity": ("1 lb", "2 lb", "4 lb"),
        },
    ),
    ProductType(
        name="Dog Leash",
        price=(8.00, 36.00),
        options={
            "length": ("4 ft", "5 ft", "6 ft", "10 ft"),
            "material": ("nylon", "leather", "biothane"),
            "color": ("red", "blue", "black"),
            "handle": ("padded", "plain loop"),
        },
    ),
    ProductType(
        name="Aquarium",
        price=(45.00, 389.00),
        options={
            "volume": ("20 l", "60 l", "120 l", "200 l"),
            "shape": ("rectangular", "bow front", "cube"),
            "lighting": ("white led", "full spectrum", "unlit"),
        },
    ),
    ProductType(
        name="Hair Dryer",
        price=(29.00, 299.00),
        options={
            "power": ("1400 w", "1800 w", "2200 w"),
            "attachment": ("concentrator", "diffuser", "comb"),
            "color": ("rose", "black", "pearl white"),
        },
    ),
    ProductType(
        name="Scented Candle",
        price=(12.00, 48.00),
        options={
            "scent": ("fig", "cedarwood", "vanilla", "sea salt", "lavender"),
            "burn time": ("25 hours", "40 hours", "60 hours"),
            "wax": ("soy", "beeswax", "coconut"),
        },
    ),
    ProductType(
        name="Baby Stroller",
        price=(129.00, 799.00),
        options={
            "seat": ("single seat", "double seat"),
            "fold": ("one-hand fold", "umbrella fold", "compact fold"),
            "color": ("black", "heather gray", "olive", "navy"),
            "wheels": ("foam wheels", "air-filled wheels"),
        },
    ),
    ProductType(
        name="Picture Frame",
        price=(9.50, 58.00),
        options={
            "size": ("4 x 6 in", "5 x 7 in", "8 x 10 in", "11 x 14 in"),
            "color": ("black", "gold", "white oak", "walnut"),
            "glazing": ("glass", "acrylic"),
        },
    ),
)
"""The 50 kinds of product; each has 16 to 120 combinations of option values."""
