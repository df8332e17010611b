//! Time zones as Dataverse numbers them (`usersettings.timezonecode`), with
//! Windows' names and those of the IANA database.
//!
//! The numbers up to 300 grew out of Microsoft's "Time Zone Index Values" of
//! unattended Windows setups; what Dataverse added stands in its table
//! `timezonedefinition`, and is listed in the open test doubles for it
//! (`TimeZoneCodeMappings` of XrmUnitTest). Windows' names, their IANA zones and
//! places are CLDR's `common/supplemental/windowsZones.xml` (territory 001; of
//! aliases the IANA database's current name). Of Windows' zones these are
//! without a number there and left out: Libya, Line Islands, Magallanes,
//! Qyzylorda, Sao Tome, Saratov, South Sudan, UTC+13, Volgograd, Yukon. The
//! numbers 13, 30, 251, 256 and 266 are retired.

/// One zone that a user can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeZone {
    /// `timezonecode`
    pub code: i64,
    /// `W. Europe Standard Time`
    pub windows: &'static str,
    /// `Europe/Berlin`
    pub iana: &'static str,
    /// Places that people look for.
    pub places: &'static str,
}

impl TimeZone {
    /// When its clocks change, out of the database that is built in.
    #[must_use]
    pub fn rules(&self) -> Option<jiff::tz::TimeZone> {
        jiff::tz::TimeZoneDatabase::bundled().get(self.iana).ok()
    }
}

/// The zone with this code.
#[must_use]
pub fn by_code(code: i64) -> Option<&'static TimeZone> {
    ALL.iter().find(|zone| zone.code == code)
}

/// The zone with this Windows or IANA name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static TimeZone> {
    ALL.iter().find(|zone| zone.windows.eq_ignore_ascii_case(name) || zone.iana.eq_ignore_ascii_case(name))
}

const fn zone(code: i64, windows: &'static str, iana: &'static str, places: &'static str) -> TimeZone {
    TimeZone { code, windows, iana, places }
}

/// From west to east.
pub static ALL: &[TimeZone] = &[
    zone(0, "Dateline Standard Time", "Etc/GMT+12", "International Date Line West"),
    zone(6, "UTC-11", "Etc/GMT+11", "Coordinated Universal Time-11"),
    zone(7, "Aleutian Standard Time", "America/Adak", "Aleutian Islands"),
    zone(2, "Hawaiian Standard Time", "Pacific/Honolulu", "Hawaii"),
    zone(8, "Marquesas Standard Time", "Pacific/Marquesas", "Marquesas Islands"),
    zone(3, "Alaskan Standard Time", "America/Anchorage", "Alaska"),
    zone(9, "UTC-09", "Etc/GMT+9", "Coordinated Universal Time-09"),
    zone(4, "Pacific Standard Time", "America/Los_Angeles", "Pacific Time (US & Canada)"),
    zone(5, "Pacific Standard Time (Mexico)", "America/Tijuana", "Baja California"),
    zone(11, "UTC-08", "Etc/GMT+8", "Coordinated Universal Time-08"),
    zone(10, "Mountain Standard Time", "America/Denver", "Mountain Time (US & Canada)"),
    zone(12, "Mountain Standard Time (Mexico)", "America/Mazatlan", "La Paz, Mazatlan"),
    zone(15, "US Mountain Standard Time", "America/Phoenix", "Arizona"),
    zone(20, "Central Standard Time", "America/Chicago", "Central Time (US & Canada)"),
    zone(25, "Canada Central Standard Time", "America/Regina", "Saskatchewan"),
    zone(29, "Central Standard Time (Mexico)", "America/Mexico_City", "Guadalajara, Mexico City, Monterrey"),
    zone(33, "Central America Standard Time", "America/Guatemala", "Central America"),
    zone(34, "Easter Island Standard Time", "Pacific/Easter", "Easter Island"),
    zone(35, "Eastern Standard Time", "America/New_York", "Eastern Time (US & Canada)"),
    zone(40, "US Eastern Standard Time", "America/Indiana/Indianapolis", "Indiana (East)"),
    zone(43, "Haiti Standard Time", "America/Port-au-Prince", "Haiti"),
    zone(44, "Cuba Standard Time", "America/Havana", "Havana"),
    zone(301, "Eastern Standard Time (Mexico)", "America/Cancun", "Chetumal"),
    zone(45, "SA Pacific Standard Time", "America/Bogota", "Bogota, Lima, Quito"),
    zone(51, "Turks And Caicos Standard Time", "America/Grand_Turk", "Turks and Caicos"),
    zone(47, "Venezuela Standard Time", "America/Caracas", "Caracas"),
    zone(50, "Atlantic Standard Time", "America/Halifax", "Atlantic Time (Canada)"),
    zone(55, "SA Western Standard Time", "America/La_Paz", "Georgetown, La Paz, San Juan"),
    zone(56, "Pacific SA Standard Time", "America/Santiago", "Santiago"),
    zone(58, "Central Brazilian Standard Time", "America/Cuiaba", "Cuiaba"),
    zone(59, "Paraguay Standard Time", "America/Asuncion", "Asuncion"),
    zone(60, "Newfoundland Standard Time", "America/St_Johns", "Newfoundland"),
    zone(65, "E. South America Standard Time", "America/Sao_Paulo", "Brasilia"),
    zone(69, "Argentina Standard Time", "America/Argentina/Buenos_Aires", "Buenos Aires"),
    zone(70, "SA Eastern Standard Time", "America/Cayenne", "Cayenne, Fortaleza"),
    zone(71, "Bahia Standard Time", "America/Bahia", "Salvador"),
    zone(72, "Saint Pierre Standard Time", "America/Miquelon", "Saint Pierre and Miquelon"),
    zone(77, "Tocantins Standard Time", "America/Araguaina", "Araguaina"),
    zone(73, "Greenland Standard Time", "America/Nuuk", "Greenland"),
    zone(74, "Montevideo Standard Time", "America/Montevideo", "Montevideo"),
    zone(75, "Mid-Atlantic Standard Time", "Etc/GMT+2", "Mid-Atlantic"),
    zone(76, "UTC-02", "Etc/GMT+2", "Coordinated Universal Time-02"),
    zone(80, "Azores Standard Time", "Atlantic/Azores", "Azores"),
    zone(83, "Cape Verde Standard Time", "Atlantic/Cape_Verde", "Cabo Verde Is."),
    zone(92, "UTC", "Etc/UTC", "Coordinated Universal Time"),
    zone(85, "GMT Standard Time", "Europe/London", "Dublin, Edinburgh, Lisbon, London"),
    zone(90, "Greenwich Standard Time", "Atlantic/Reykjavik", "Monrovia, Reykjavik"),
    zone(84, "Morocco Standard Time", "Africa/Casablanca", "Casablanca"),
    zone(110, "W. Europe Standard Time", "Europe/Berlin", "Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna"),
    zone(95, "Central Europe Standard Time", "Europe/Budapest", "Belgrade, Bratislava, Budapest, Ljubljana, Prague"),
    zone(100, "Central European Standard Time", "Europe/Warsaw", "Sarajevo, Skopje, Warsaw, Zagreb"),
    zone(105, "Romance Standard Time", "Europe/Paris", "Brussels, Copenhagen, Madrid, Paris"),
    zone(113, "W. Central Africa Standard Time", "Africa/Lagos", "West Central Africa"),
    zone(115, "E. Europe Standard Time", "Europe/Chisinau", "Chisinau"),
    zone(120, "Egypt Standard Time", "Africa/Cairo", "Cairo"),
    zone(125, "FLE Standard Time", "Europe/Kyiv", "Helsinki, Kyiv, Riga, Sofia, Tallinn, Vilnius"),
    zone(130, "GTB Standard Time", "Europe/Bucharest", "Athens, Bucharest"),
    zone(131, "Middle East Standard Time", "Asia/Beirut", "Beirut"),
    zone(135, "Israel Standard Time", "Asia/Jerusalem", "Jerusalem"),
    zone(142, "West Bank Standard Time", "Asia/Hebron", "Gaza, Hebron"),
    zone(140, "South Africa Standard Time", "Africa/Johannesburg", "Harare, Pretoria"),
    zone(141, "Namibia Standard Time", "Africa/Windhoek", "Windhoek"),
    zone(302, "Sudan Standard Time", "Africa/Khartoum", "Khartoum"),
    zone(159, "Kaliningrad Standard Time", "Europe/Kaliningrad", "Kaliningrad"),
    zone(129, "Jordan Standard Time", "Asia/Amman", "Amman"),
    zone(133, "Syria Standard Time", "Asia/Damascus", "Damascus"),
    zone(134, "Turkey Standard Time", "Europe/Istanbul", "Istanbul"),
    zone(145, "Russian Standard Time", "Europe/Moscow", "Moscow, St. Petersburg"),
    zone(150, "Arab Standard Time", "Asia/Riyadh", "Kuwait, Riyadh"),
    zone(151, "Belarus Standard Time", "Europe/Minsk", "Minsk"),
    zone(155, "E. Africa Standard Time", "Africa/Nairobi", "Nairobi"),
    zone(158, "Arabic Standard Time", "Asia/Baghdad", "Baghdad"),
    zone(160, "Iran Standard Time", "Asia/Tehran", "Tehran"),
    zone(165, "Arabian Standard Time", "Asia/Dubai", "Abu Dhabi, Muscat"),
    zone(169, "Azerbaijan Standard Time", "Asia/Baku", "Baku"),
    zone(170, "Caucasus Standard Time", "Asia/Yerevan", "Yerevan"),
    zone(172, "Mauritius Standard Time", "Indian/Mauritius", "Port Louis"),
    zone(173, "Georgian Standard Time", "Asia/Tbilisi", "Tbilisi"),
    zone(174, "Russia Time Zone 3", "Europe/Samara", "Izhevsk, Samara"),
    zone(176, "Astrakhan Standard Time", "Europe/Astrakhan", "Astrakhan, Ulyanovsk"),
    zone(175, "Afghanistan Standard Time", "Asia/Kabul", "Kabul"),
    zone(180, "Ekaterinburg Standard Time", "Asia/Yekaterinburg", "Yekaterinburg"),
    zone(184, "Pakistan Standard Time", "Asia/Karachi", "Islamabad, Karachi"),
    zone(185, "West Asia Standard Time", "Asia/Tashkent", "Tashkent"),
    zone(190, "India Standard Time", "Asia/Kolkata", "Chennai, Kolkata, Mumbai, New Delhi"),
    zone(200, "Sri Lanka Standard Time", "Asia/Colombo", "Sri Jayawardenepura"),
    zone(193, "Nepal Standard Time", "Asia/Kathmandu", "Kathmandu"),
    zone(195, "Central Asia Standard Time", "Asia/Bishkek", "Bishkek"),
    zone(196, "Bangladesh Standard Time", "Asia/Dhaka", "Dhaka"),
    zone(197, "Omsk Standard Time", "Asia/Omsk", "Omsk"),
    zone(203, "Myanmar Standard Time", "Asia/Yangon", "Yangon (Rangoon)"),
    zone(201, "N. Central Asia Standard Time", "Asia/Novosibirsk", "Novosibirsk"),
    zone(205, "SE Asia Standard Time", "Asia/Bangkok", "Bangkok, Hanoi, Jakarta"),
    zone(207, "North Asia Standard Time", "Asia/Krasnoyarsk", "Krasnoyarsk"),
    zone(208, "Altai Standard Time", "Asia/Barnaul", "Barnaul, Gorno-Altaysk"),
    zone(209, "W. Mongolia Standard Time", "Asia/Hovd", "Hovd"),
    zone(211, "Tomsk Standard Time", "Asia/Tomsk", "Tomsk"),
    zone(210, "China Standard Time", "Asia/Shanghai", "Beijing, Chongqing, Hong Kong, Urumqi"),
    zone(228, "Ulaanbaatar Standard Time", "Asia/Ulaanbaatar", "Ulaanbaatar"),
    zone(215, "Singapore Standard Time", "Asia/Singapore", "Kuala Lumpur, Singapore"),
    zone(220, "Taipei Standard Time", "Asia/Taipei", "Taipei"),
    zone(225, "W. Australia Standard Time", "Australia/Perth", "Perth"),
    zone(227, "North Asia East Standard Time", "Asia/Irkutsk", "Irkutsk"),
    zone(231, "Aus Central W. Standard Time", "Australia/Eucla", "Eucla"),
    zone(230, "Korea Standard Time", "Asia/Seoul", "Seoul"),
    zone(229, "North Korea Standard Time", "Asia/Pyongyang", "Pyongyang"),
    zone(235, "Tokyo Standard Time", "Asia/Tokyo", "Osaka, Sapporo, Tokyo"),
    zone(240, "Yakutsk Standard Time", "Asia/Yakutsk", "Yakutsk"),
    zone(241, "Transbaikal Standard Time", "Asia/Chita", "Chita"),
    zone(245, "AUS Central Standard Time", "Australia/Darwin", "Darwin"),
    zone(250, "Cen. Australia Standard Time", "Australia/Adelaide", "Adelaide"),
    zone(255, "AUS Eastern Standard Time", "Australia/Sydney", "Canberra, Melbourne, Sydney"),
    zone(260, "E. Australia Standard Time", "Australia/Brisbane", "Brisbane"),
    zone(265, "Tasmania Standard Time", "Australia/Hobart", "Hobart"),
    zone(270, "Vladivostok Standard Time", "Asia/Vladivostok", "Vladivostok"),
    zone(275, "West Pacific Standard Time", "Pacific/Port_Moresby", "Guam, Port Moresby"),
    zone(274, "Lord Howe Standard Time", "Australia/Lord_Howe", "Lord Howe Island"),
    zone(280, "Central Pacific Standard Time", "Pacific/Guadalcanal", "Solomon Is., New Caledonia"),
    zone(276, "Bougainville Standard Time", "Pacific/Bougainville", "Bougainville Island"),
    zone(277, "Norfolk Standard Time", "Pacific/Norfolk", "Norfolk Island"),
    zone(278, "Sakhalin Standard Time", "Asia/Sakhalin", "Sakhalin"),
    zone(279, "Russia Time Zone 10", "Asia/Srednekolymsk", "Chokurdakh"),
    zone(281, "Magadan Standard Time", "Asia/Magadan", "Magadan"),
    zone(295, "Russia Time Zone 11", "Asia/Kamchatka", "Anadyr, Petropavlovsk-Kamchatsky"),
    zone(284, "UTC+12", "Etc/GMT-12", "Coordinated Universal Time+12"),
    zone(285, "Fiji Standard Time", "Pacific/Fiji", "Fiji"),
    zone(290, "New Zealand Standard Time", "Pacific/Auckland", "Auckland, Wellington"),
    zone(299, "Chatham Islands Standard Time", "Pacific/Chatham", "Chatham Islands"),
    zone(300, "Tonga Standard Time", "Pacific/Tongatapu", "Nuku'alofa"),
    zone(1, "Samoa Standard Time", "Pacific/Apia", "Samoa"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_stands_once() {
        for (n, zone) in ALL.iter().enumerate() {
            assert!(ALL[..n].iter().all(|z| z.code != zone.code && z.windows != zone.windows), "{zone:?}");
        }
        // Those of Dataverse that are not retired.
        assert_eq!(ALL.len(), 130);
    }

    #[test]
    fn every_zone_is_known_to_the_database_of_zones() {
        for zone in ALL {
            assert!(jiff::tz::TimeZone::get(zone.iana).is_ok(), "{zone:?}");
            assert!(zone.rules().is_some(), "{zone:?}");
        }
    }

    #[test]
    fn found_by_code_and_by_either_name() {
        assert_eq!(by_code(110).map(|z| z.iana), Some("Europe/Berlin"));
        assert_eq!(by_name("europe/berlin").map(|z| z.code), Some(110));
        assert_eq!(by_name("Tokyo Standard Time").map(|z| z.code), Some(235));
        // Numbers that are not in the order of the names.
        assert_eq!(by_code(211).map(|z| z.iana), Some("Asia/Tomsk"));
        assert_eq!(by_code(228).map(|z| z.iana), Some("Asia/Ulaanbaatar"));
        assert_eq!(by_code(301).map(|z| z.windows), Some("Eastern Standard Time (Mexico)"));
        assert_eq!((by_code(-1), by_name("Mars/Olympus")), (None, None));
    }
}
