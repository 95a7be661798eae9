"""The names that a generated website is made of."""

COMPANIES = (
    "Harbor & Pine", "Larkfield Supply", "Northgate Traders", "Old Mill Outfitters", "Quillby",
)  # fmt: skip

CATEGORIES = {
    "backpacks": "Backpack",
    "kettles": "Kettle",
    "lanterns": "Lantern",
    "notebooks": "Notebook",
    "blankets": "Blanket",
    "tents": "Tent",
    "knives": "Knife",
    "compasses": "Compass",
}
"""Part of an address -> what an item of that category is called."""

STYLES = (
    "Alder", "Birch", "Cove", "Delta", "Ember", "Fjord", "Glade", "Heron", "Inlet", "Juniper",
    "Kestrel", "Lagoon", "Moor", "Nimbus", "Onyx", "Prairie", "Quarry", "Ridge", "Summit", "Tundra",
)  # fmt: skip
"""First words of items' names."""

REMARKS = (
    "A favourite of our customers.",
    "Made to last for many years.",
    "Light, and easy to repair.",
    "Tested in wind and weather.",
    "Comes with a cotton bag.",
)

DEPARTMENTS = {
    "accounting": "Accounting",
    "design": "Design",
    "logistics": "Logistics",
    "purchasing": "Purchasing",
    "service": "Service",
    "workshop": "Workshop",
}
"""Part of an address -> name of the department."""

FIRST_NAMES = (
    "Ada", "Bruno", "Clara", "Dmitri", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kaori",
    "Leon", "Mina", "Nils", "Olga", "Pavel", "Rosa", "Samir", "Tilda", "Umar", "Vera", "Wanda",
    "Yusuf", "Zoe",
)  # fmt: skip
LAST_NAMES = (
    "Abbott", "Bergström", "Castillo", "Dufour", "Eriksen", "Fontaine", "Grau", "Halvorsen", "Ito",
    "Jankowski", "Keller", "Lindqvist", "Moreau", "Novak", "Okafor", "Petrov", "Quispe", "Rossi",
    "Silva", "Takeda", "Ulrich", "Varga", "Weber", "Zeman",
)  # fmt: skip
SKILLS = (
    "carving", "dyeing", "forging", "mapping", "packing", "sewing", "tanning", "testing", "weaving",
)  # fmt: skip
MAIL_HOSTS = ("mailbox.example", "post.example", "team.example")

ARTICLES = {
    "a-night-on-the-lake": "A Night on the Lake",
    "five-days-of-rain": "Five Days of Rain",
    "how-we-choose-wool": "How We Choose Wool",
    "letters-from-the-pass": "Letters from the Pass",
    "packing-for-two": "Packing for Two",
    "repair-before-you-buy": "Repair before You Buy",
    "tea-above-the-clouds": "Tea above the Clouds",
    "the-oldest-trail": "The Oldest Trail",
    "walking-without-a-map": "Walking without a Map",
    "what-the-river-took": "What the River Took",
}
"""Part of an address -> title."""
