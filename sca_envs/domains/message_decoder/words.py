"""The words that generated messages are made of."""

WORDS = (
    "amber", "anchor", "apple", "arrow", "autumn", "badger", "bakery", "barley", "basket",
    "beacon", "birch", "blanket", "bottle", "breeze", "bridge", "bucket", "butter", "button",
    "candle", "canyon", "carpet", "cellar", "cherry", "circle", "cloud", "clover", "cobalt",
    "compass", "copper", "cotton", "cradle", "crystal", "dagger", "daisy", "desert", "diamond",
    "dragon", "drum", "echo", "ember", "falcon", "feather", "fiddle", "forest", "fossil",
    "fountain", "garden", "garnet", "ginger", "glacier", "goblet", "granite", "hammer", "harbor",
    "hazel", "helmet", "honey", "island", "ivory", "jacket", "jungle", "kettle", "ladder",
    "lantern", "lemon", "linen", "lizard", "magnet", "maple", "marble", "meadow", "mirror",
    "mosaic", "nectar", "needle", "nickel", "oasis", "ocean", "olive", "orchard", "otter",
    "oyster", "paddle", "parrot", "pebble", "pepper", "piano", "pillow", "planet", "plum",
    "pocket", "puzzle", "quartz", "rabbit", "raven", "ribbon", "river", "rocket", "saddle",
    "sailor", "salmon", "shadow", "silver", "spider", "spruce", "stable", "summer", "sunset",
    "table", "thunder", "timber", "tulip", "tunnel", "turtle", "valley", "velvet", "violet",
    "walnut", "willow", "winter", "wizard", "yellow", "zebra",
)  # fmt: skip
