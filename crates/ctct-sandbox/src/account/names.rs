//! Names and words that people, places and campaigns are made of.

pub(super) const FIRST_NAMES: &[&str] = &[
    "Mara",
    "Otis",
    "Ines",
    "June",
    "Theo",
    "Priya",
    "Noah",
    "Ada",
    "Lena",
    "Hugo",
    "Zoë",
    "José María",
    "Łukasz",
    "Nguyễn",
    "Søren",
    "Ольга",
    "Дмитрий",
    "李",
    "さくら",
    "नेहा",
    "فاطمة",
    "שירה",
    "Ann-Kathrin",
    "D'Arcy",
    "Björk",
    "Ğülşen",
    "Ελένη",
    "👩‍🚀 Sam",
    "Maximilian",
    "Bo",
];

pub(super) const LAST_NAMES: &[&str] = &[
    "Quist",
    "Bell",
    "Wen",
    "Alder",
    "O'Brien",
    "van der Meer",
    "Müller",
    "García Márquez",
    "Øverland",
    "Nakamura",
    "田中",
    "Иванова",
    "Papadopoulos",
    "Smith, Jr.",
    "de la \"Cruz\"",
    "Ångström",
    "Nguyễn",
    "Khan",
    "Silva",
    "Lévi-Strauss",
    "Kowalska",
    "Nkrumah",
    "Brown",
    "Ito",
    "Ó Súilleabháin",
];

pub(super) const MAIL_NAMES: &[&str] = &[
    "mara", "otis", "ines", "june", "theo", "priya", "noah", "ada", "lena", "hugo", "zoe", "jose",
    "olga", "sam", "bo", "max",
];

pub(super) const MAIL_HOSTS: &[&str] =
    &["example.com", "example.org", "example.net", "mail.example.com"];

pub(super) const JOB_TITLES: &[&str] = &[
    "Buyer",
    "Librarian",
    "Owner",
    "Teacher",
    "Häuslebauer",
    "Editor",
    "Gärtnerin",
    "Chief of Everything",
    "Musician",
];

pub(super) const COMPANIES: &[&str] = &[
    "Tidewater Goods",
    "Acme Corp.",
    "Café Zürich",
    "Blue Lantern Books",
    "Smith & Sons, Ltd.",
    "株式会社さくら",
    "North Star Co-op",
];

pub(super) const STREETS: &[&str] =
    &["Lantern Row", "Harbor Lane", "Hauptstraße", "Rue de l'Église", "Kashmir Valley Road"];

pub(super) const CITIES: &[(&str, &str, &str, &str)] = &[
    ("Gloucester", "MA", "01930", "United States"),
    ("Chicago", "Illinois", "60609", "United States"),
    ("Zürich", "ZH", "8001", "Switzerland"),
    ("Montréal", "QC", "H2Y 1C6", "Canada"),
    ("São Paulo", "SP", "01000-000", "Brazil"),
];

pub(crate) const OPT_OUT_REASONS: &[&str] =
    &["Too many emails", "I am no longer interested.", "Never signed up", "Trop de messages"];

pub(super) const NOTES: &[&str] = &[
    "Prefers e-mail over phone.",
    "Met at the trade show;\nasked for the \"big\" catalogue.",
    "VIP: handle with care 🎩",
    "Moved in spring, new address to follow.",
];

/// Lists: name, description, and members per mille of contacts.
pub(super) const LISTS: &[(&str, Option<&str>, u32)] = &[
    ("General Interest", Some("Everyone who signed up on the web site."), 700),
    ("Wholesale", None, 60),
    ("Book club", Some("Monthly meeting in the shop."), 180),
    ("Poetry nights", None, 120),
    ("Families", Some("Picture books, readings, crafts."), 240),
    ("Teachers", None, 90),
    ("Press", Some("Journalists and bloggers."), 15),
    ("Donors 2024", None, 40),
    ("Neighbours", Some("Within walking distance."), 110),
    ("Événements", Some("Soirées et lectures en français."), 70),
    ("Second-hand", None, 130),
    ("Nobody yet", Some("A list without members."), 0),
];

/// Tags: name and contacts per mille.
pub(super) const TAGS: &[(&str, u32)] = &[
    ("VIP", 30),
    ("Trade show 2024", 60),
    ("Gift card", 90),
    ("Mystery", 140),
    ("Poetry", 80),
    ("Travel", 70),
    ("Cook books", 110),
    ("Imported 2023", 200),
    ("Needs a call", 10),
    ("Münster", 20),
    ("🎉 birthday club", 150),
    ("Unused", 0),
];

/// What campaigns are called, each with the number and the name of its kind.
pub(super) const CAMPAIGNS: &[(&str, i64, &str)] = &[
    ("newsletter", 10, "NEWSLETTER"),
    ("poetry night", 26, "CUSTOM_CODE_EMAIL"),
    ("announcement", 11, "ANNOUNCEMENT"),
    ("sale", 22, "SALE_PROMOTION"),
    ("new arrivals", 23, "PRODUCT_PROMOTION"),
    ("book club", 20, "EVENT_ANNOUNCEMENT"),
];
