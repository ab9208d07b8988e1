"""What the sample shop sells and the words it uses: products, places, names, topics."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Category:
    """One category: its kind, the margin on list price, the cheapest price (CNY), its demand.

    `nouns` stand in rising order of price; each is sold in a value and a premium grade.
    """

    name: str
    kind: str
    margin: float
    lowest_price: float
    consumer_demand: float
    business_demand: float
    nouns: tuple[str, ...]


NOUNS_PER_CATEGORY = 12
PRODUCTS_PER_CATEGORY = 2 * NOUNS_PER_CATEGORY
PRICE_STEP = 1.24  # from one product of a category to the next dearer one

CATEGORIES = (
    Category(
        "Office Supplies",
        "product",
        0.24,
        6.0,
        0.08,
        0.15,
        (
            "Ballpoint Pens",
            "Sticky Notes",
            "Notebook",
            "File Folder",
            "Copy Paper",
            "Stapler",
            "Desk Organiser",
            "Toner Cartridge",
            "Label Printer",
            "Whiteboard",
            "Paper Shredder",
            "Document Scanner",
        ),
    ),
    Category(
        "Computers and Accessories",
        "product",
        0.12,
        25.0,
        0.14,
        0.18,
        (
            "Mouse Pad",
            "USB Cable",
            "Wireless Mouse",
            "Keyboard",
            "Webcam",
            "Headset",
            "External Drive",
            "Docking Station",
            "Monitor Arm",
            "Office Monitor",
            "Mini Computer",
            "Laptop",
        ),
    ),
    Category(
        "Mobile and Smart Devices",
        "product",
        0.09,
        22.0,
        0.16,
        0.06,
        (
            "Phone Case",
            "Charger",
            "Power Bank",
            "Smart Plug",
            "Earphones",
            "Smart Bulb Set",
            "Door Sensor Kit",
            "Smart Speaker",
            "Fitness Band",
            "Smart Watch",
            "Tablet",
            "Smart Phone",
        ),
    ),
    Category(
        "Home Appliances",
        "product",
        0.16,
        30.0,
        0.15,
        0.03,
        (
            "Egg Boiler",
            "Electric Kettle",
            "Desk Fan",
            "Hair Dryer",
            "Rice Cooker",
            "Blender",
            "Air Fryer",
            "Humidifier",
            "Vacuum Cleaner",
            "Microwave Oven",
            "Air Purifier",
            "Robot Vacuum",
        ),
    ),
    Category(
        "Kitchen and Dining",
        "product",
        0.31,
        12.0,
        0.12,
        0.03,
        (
            "Chopsticks Set",
            "Storage Jar",
            "Cutting Board",
            "Tea Cups",
            "Knife",
            "Frying Pan",
            "Thermos",
            "Tea Set",
            "Wok",
            "Cookware Set",
            "Knife Block Set",
            "Dinner Service",
        ),
    ),
    Category(
        "Furniture",
        "product",
        0.36,
        40.0,
        0.08,
        0.10,
        (
            "Wall Shelf",
            "Side Table",
            "Folding Chair",
            "Coat Stand",
            "Filing Cabinet",
            "Task Chair",
            "Bookcase",
            "Study Desk",
            "Ergonomic Chair",
            "Meeting Table",
            "Height-Adjustable Desk",
            "Sofa",
        ),
    ),
    Category(
        "Tools and Hardware",
        "product",
        0.27,
        10.0,
        0.06,
        0.14,
        (
            "Tape Measure",
            "Screwdriver Set",
            "Work Gloves",
            "Extension Lead",
            "Tool Box",
            "Torch",
            "Cordless Drill",
            "Ladder",
            "Angle Grinder",
            "Pressure Washer",
            "Welding Set",
            "Air Compressor",
        ),
    ),
    Category(
        "Packaging and Consumables",
        "product",
        0.08,
        15.0,
        0.02,
        0.15,
        (
            "Packing Tape",
            "Mailing Bags",
            "Bubble Wrap",
            "Small Cartons",
            "Large Cartons",
            "Stretch Film",
            "Thermal Labels",
            "Cleaning Set",
            "Pallet Wrap",
            "Paper Towels Case",
            "Strapping Kit",
            "Packing Station",
        ),
    ),
    Category(
        "Beauty and Health",
        "product",
        0.45,
        15.0,
        0.13,
        0.01,
        (
            "Hand Cream",
            "Face Mask Pack",
            "Shampoo",
            "Toothbrush Heads",
            "Sunscreen",
            "Body Scale",
            "Face Serum",
            "Electric Toothbrush",
            "Massage Gun",
            "Skin Care Set",
            "Blood Pressure Monitor",
            "Foot Massager",
        ),
    ),
    Category(
        "Installation and Care",
        "service",
        0.40,
        35.0,
        0.04,
        0.08,
        (
            "Remote Check",
            "Home Delivery",
            "Device Set-up",
            "Cleaning Visit",
            "Appliance Installation",
            "Data Transfer",
            "Repair Visit",
            "Extended Warranty",
            "Network Set-up",
            "Yearly Care Plan",
            "Office Set-up",
            "Site Maintenance",
        ),
    ),
    Category(
        "Training and Advice",
        "service",
        0.38,
        30.0,
        0.02,
        0.07,
        (
            "Online Course",
            "Product Webinar",
            "Buying Advice",
            "Safety Course",
            "Software Course",
            "Workplace Check",
            "Half-Day Workshop",
            "Process Review",
            "Full-Day Workshop",
            "Energy Audit",
            "Certificate Course",
            "Advice Package",
        ),
    ),
)


@dataclass(frozen=True)
class Catalogue:
    """The products as arrays; product i belongs to category i // PRODUCTS_PER_CATEGORY.

    Attributes:
        price: list price in fen (1/100 CNY), rising within a category, shape (n,).
        cost: cost of one in 1/10,000 CNY, shape (n,).
        names: product names, n.
        premium: whether the product is of the premium grade, shape (n,).
    """

    price: np.ndarray
    cost: np.ndarray
    names: tuple[str, ...]
    premium: np.ndarray


def build_catalogue(rng: np.random.Generator) -> Catalogue:
    """Return the catalogue; prices end as shop prices do (6.90, 54.00), margins vary by product."""
    ladder = PRICE_STEP ** np.arange(PRODUCTS_PER_CATEGORY)
    lowest = np.array([category.lowest_price for category in CATEGORIES])
    exact = (lowest[:, None] * ladder[None, :]).ravel()
    price = np.where(exact < 100, np.floor(exact) * 100 + 90, np.rint(exact / 5) * 500 - 100)
    margin = np.repeat([category.margin for category in CATEGORIES], PRODUCTS_PER_CATEGORY)
    margin = np.clip(margin + rng.normal(0.0, 0.015, len(price)), 0.05, 0.6)
    names = tuple(
        f"{noun}, {grade}"
        for category in CATEGORIES
        for noun in category.nouns
        for grade in ("Basic", "Pro")
    )
    return Catalogue(
        price=price.astype(np.int64),
        cost=np.rint(price * (1 - margin)).astype(np.int64) * 100,
        names=names,
        premium=np.arange(len(price)) % 2 == 1,
    )


def demand(customer_type: int) -> np.ndarray:
    """Return the share of each category in the demand of consumers (0) or businesses (1)."""
    weights = np.array(
        [
            category.business_demand if customer_type else category.consumer_demand
            for category in CATEGORIES
        ]
    )
    return weights / weights.sum()


# Country, region, city. The first HOME_PLACES are in China.
PLACES = (
    ("China", "Guangdong", "Shenzhen"),
    ("China", "Guangdong", "Guangzhou"),
    ("China", "Guangdong", "Dongguan"),
    ("China", "Zhejiang", "Hangzhou"),
    ("China", "Zhejiang", "Ningbo"),
    ("China", "Jiangsu", "Nanjing"),
    ("China", "Jiangsu", "Suzhou"),
    ("China", "Shanghai", "Shanghai"),
    ("China", "Beijing", "Beijing"),
    ("China", "Shandong", "Qingdao"),
    ("China", "Shandong", "Jinan"),
    ("China", "Sichuan", "Chengdu"),
    ("China", "Hubei", "Wuhan"),
    ("China", "Hunan", "Changsha"),
    ("China", "Henan", "Zhengzhou"),
    ("China", "Fujian", "Xiamen"),
    ("China", "Shaanxi", "Xi'an"),
    ("China", "Chongqing", "Chongqing"),
    ("China", "Tianjin", "Tianjin"),
    ("China", "Liaoning", "Shenyang"),
    ("Singapore", "Singapore", "Singapore"),
    ("Malaysia", "Selangor", "Shah Alam"),
    ("United States", "California", "San Jose"),
    ("Germany", "Hamburg", "Hamburg"),
    ("Vietnam", "Ho Chi Minh", "Ho Chi Minh City"),
    ("Thailand", "Bangkok", "Bangkok"),
)
HOME_PLACES = 20

SURNAMES = (
    "Wang",
    "Li",
    "Zhang",
    "Liu",
    "Chen",
    "Yang",
    "Huang",
    "Zhao",
    "Wu",
    "Zhou",
    "Xu",
    "Sun",
    "Ma",
    "Zhu",
    "Hu",
    "Guo",
    "He",
    "Lin",
    "Gao",
    "Luo",
    "Zheng",
    "Liang",
    "Xie",
    "Song",
    "Tang",
)
GIVEN_NAMES = (
    "Wei",
    "Fang",
    "Na",
    "Min",
    "Jing",
    "Lei",
    "Yan",
    "Tao",
    "Chao",
    "Xia",
    "Ping",
    "Gang",
    "Yu",
    "Hui",
    "Jun",
    "Ling",
    "Bo",
    "Mei",
    "Hao",
    "Ting",
    "Xin",
    "Qiang",
    "Lan",
    "Peng",
)
COMPANY_WORDS = (
    "Bright",
    "Golden",
    "Eastern",
    "Rising",
    "Harmony",
    "Blue River",
    "Great Wall",
    "Jade",
    "Evergreen",
    "Red Maple",
    "Star",
    "Pearl",
    "Dragon",
    "Silver Lake",
    "New Horizon",
    "Union",
)
INDUSTRIES = (
    "Manufacturing",
    "Retail",
    "Construction",
    "Education",
    "Logistics",
    "Hospitality",
    "Healthcare",
    "Software",
    "Finance",
    "Public Services",
)
MANAGERS = ("Chen Jing", "Liu Yang", "Wang Lei", "Zhao Min", "Sun Hui", "Zhou Ting")
CONTACT_CHANNELS = ("wechat", "phone", "email")
ACQUISITION_CHANNELS = ("search", "social", "referral", "trade_fair", "store", "partner")
INTERACTION_CHANNELS = ("wechat", "phone", "email", "web", "app", "store")
TOPICS = (
    "price",
    "delivery",
    "quality",
    "efficiency",
    "cost_saving",
    "customisation",
    "convenience",
    "smart_features",
    "after_sales",
    "invoice",
    "service",
)
# Demand for each topic, consumers and businesses.
TOPIC_WEIGHTS = np.array(
    [
        [0.17, 0.14, 0.08, 0.02, 0.03, 0.03, 0.24, 0.16, 0.10, 0.01, 0.02],
        [0.14, 0.08, 0.07, 0.20, 0.18, 0.14, 0.03, 0.03, 0.07, 0.04, 0.02],
    ]
)
TROUBLE_TOPICS = (1, 2, 8, 9, 10)  # delivery, quality, after-sales, invoice, service
TROUBLE_WEIGHTS = (0.30, 0.30, 0.20, 0.08, 0.12)
REFUND_REASONS = (
    "damaged in transit",
    "wrong item",
    "not as described",
    "changed mind",
    "late delivery",
    "price adjustment",
)
