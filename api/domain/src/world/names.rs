//! Names: common ones of many origins, put together by chance.

use super::dice::Dice;

/// Where a child comes from.
pub(super) struct Origin {
    /// ISO 3166-1 alpha-2; none for the stateless.
    pub(super) country: Option<&'static str>,
    /// ISO 639-3, best first.
    pub(super) languages: &'static [&'static str],
    pub(super) female: &'static [&'static str],
    pub(super) male: &'static [&'static str],
    pub(super) family: &'static [&'static str],
}

const ARABIC_F: &[&str] = &["Aya", "Hala", "Lina", "Mariam", "Nour", "Rahaf", "Rima", "Salma", "Yasmin", "Zeinab"];
const ARABIC_M: &[&str] = &["Adnan", "Anas", "Bilal", "Hamza", "Karim", "Khaled", "Omar", "Samir", "Tarek", "Yousef"];
const ARABIC: &[&str] =
    &["al-Halabi", "al-Masri", "Darwish", "Haddad", "Hamdan", "Khalil", "Mansour", "Saleh", "Shami", "Zaidan"];

/// The origins, the more common ones more than once.
pub(super) static ORIGINS: [&Origin; 16] = [
    &DARI, &DARI, &DARI, &HAZARAGI, &PASHTO, &TIGRINYA, &TIGRINYA, &SOMALI, &SOMALI, &SYRIA, &SYRIA, &UKRAINE,
    &UKRAINE, &SORANI, &AMHARIC, &STATELESS,
];

static DARI: Origin = Origin {
    country: Some("AF"),
    languages: &["prs", "pus"],
    female: &["Fereshta", "Laila", "Maryam", "Nargis", "Parwana", "Roya", "Shabnam", "Soraya", "Zahra"],
    male: &["Ahmad", "Farhad", "Habib", "Jawad", "Mahdi", "Mustafa", "Nasir", "Omid", "Reza", "Sohrab", "Zabi"],
    family: &["Ahmadi", "Akbari", "Faizi", "Hakimi", "Karimi", "Mohammadi", "Nazari", "Popalzai", "Rahimi", "Sharifi"],
};

static HAZARAGI: Origin = Origin {
    country: Some("AF"),
    languages: &["haz", "prs"],
    female: &["Fatima", "Hakima", "Masuma", "Sakina", "Zainab"],
    male: &["Ali", "Esmat", "Hussain", "Mehdi", "Murtaza", "Sajjad"],
    family: &["Alizada", "Haidari", "Hussaini", "Jafari", "Mirzaie", "Qasimi", "Rezai"],
};

static PASHTO: Origin = Origin {
    country: Some("AF"),
    languages: &["pus"],
    female: &["Gulalai", "Palwasha", "Spozhmai", "Zarghuna"],
    male: &["Asadullah", "Hamid", "Inayat", "Naqib", "Samiullah", "Wali"],
    family: &["Ahmadzai", "Kakar", "Khan", "Safi", "Shinwari", "Stanikzai", "Wardak"],
};

static TIGRINYA: Origin = Origin {
    country: Some("ER"),
    languages: &["tir", "ara"],
    female: &["Bisrat", "Feven", "Helen", "Luwam", "Mebrat", "Rahwa", "Selam", "Senait", "Winta"],
    male: &["Abel", "Aman", "Dawit", "Ermias", "Filmon", "Kidane", "Natnael", "Samuel", "Yonas"],
    family: &["Abraha", "Asfaha", "Berhane", "Gebremedhin", "Ghebreab", "Habtemariam", "Kiflom", "Tekle", "Weldu"],
};

static SOMALI: Origin = Origin {
    country: Some("SO"),
    languages: &["som"],
    female: &["Amina", "Ayaan", "Faduma", "Hodan", "Ifrah", "Khadija", "Nasteho", "Sahra"],
    male: &["Abdi", "Ayanle", "Guled", "Hassan", "Ismail", "Liban", "Mahad", "Mohamed", "Zakaria"],
    family: &["Abdullahi", "Ali", "Farah", "Hersi", "Hussein", "Jama", "Mohamud", "Nur", "Osman", "Warsame"],
};

static SYRIA: Origin =
    Origin { country: Some("SY"), languages: &["ara"], female: ARABIC_F, male: ARABIC_M, family: ARABIC };

static UKRAINE: Origin = Origin {
    country: Some("UA"),
    languages: &["ukr", "rus"],
    female: &["Anna", "Daryna", "Kateryna", "Mariia", "Oksana", "Solomiia", "Sofiia", "Yuliia"],
    male: &["Andrii", "Artem", "Danylo", "Maksym", "Nazar", "Oleksandr", "Taras", "Yurii"],
    family: &["Bondarenko", "Boiko", "Hrytsenko", "Kovalenko", "Lysenko", "Melnyk", "Shevchuk", "Tkachenko"],
};

static SORANI: Origin = Origin {
    country: Some("IQ"),
    languages: &["ckb", "ara"],
    female: &["Avan", "Hero", "Narin", "Shilan", "Tara", "Zhala"],
    male: &["Aram", "Bahez", "Diyar", "Hiwa", "Karwan", "Rebin", "Sirwan"],
    family: &["Abdulla", "Aziz", "Hama", "Majid", "Qadir", "Rashid", "Salih"],
};

static AMHARIC: Origin = Origin {
    country: Some("ET"),
    languages: &["amh", "orm"],
    female: &["Bethlehem", "Hanna", "Meron", "Tigist", "Tsion"],
    male: &["Biruk", "Dereje", "Kaleb", "Mikias", "Tewodros", "Yared"],
    family: &["Alemu", "Bekele", "Desta", "Getachew", "Haile", "Mekonnen", "Tadesse"],
};

static STATELESS: Origin =
    Origin { country: None, languages: &["ara"], female: ARABIC_F, male: ARABIC_M, family: ARABIC };

const STAFF_GIVEN: &[&str] = &[
    "Agneta", "Anders", "Birgitta", "Carina", "Elin", "Erik", "Eva", "Fredrik", "Gunilla", "Hanna", "Jonas", "Karin",
    "Lars", "Lena", "Maria", "Mats", "Mirja", "Nadia", "Olof", "Petra", "Sara", "Stefan", "Ulrika", "Åsa",
];
const STAFF_FAMILY: &[&str] = &[
    "Exempelsson",
    "Provberg",
    "Testlund",
    "Mallqvist",
    "Sagström",
    "Modellgren",
    "Påhittsson",
    "Övningsdal",
    "Skissholm",
    "Utkastlind",
];

/// Someone of an agency's staff, by a family name that nobody has.
pub(super) fn staff(dice: &mut Dice) -> String {
    format!("{} {}", dice.pick(STAFF_GIVEN), dice.pick(STAFF_FAMILY))
}

/// An e-mail address in a domain reserved for examples.
pub(super) fn email(name: &str, domain: &str) -> String {
    let plain = |c: char| match c.to_ascii_lowercase() {
        'å' | 'ä' | 'Å' | 'Ä' => 'a',
        'ö' | 'Ö' => 'o',
        ' ' => '.',
        c => c,
    };
    format!("{}@{domain}.example", name.chars().map(plain).collect::<String>())
}

/// The same name, as it sounded to somebody else.
pub(super) fn spelled_otherwise(name: &str) -> String {
    const SOUNDS: [(&str, &str); 12] = [
        ("zai", "zay"),
        ("aie", "ai"),
        ("ss", "s"),
        ("mm", "m"),
        ("ll", "l"),
        ("ou", "u"),
        ("kh", "h"),
        ("y", "j"),
        ("q", "gh"),
        ("i", "ee"),
        ("k", "c"),
        ("e", "ä"),
    ];
    let otherwise = SOUNDS.iter().find(|(sound, _)| name.contains(sound));
    otherwise.map_or_else(|| format!("{name}h"), |(sound, other)| name.replacen(sound, other, 1))
}
