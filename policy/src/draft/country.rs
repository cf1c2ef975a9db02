//! Which countries there are.

/// Those of ISO 3166-1 alpha-2 that have a plan for their numbers, and the three reserved codes under which numbers are
/// assigned: Ascension, Tristan da Cunha, Kosovo.
const CODES: &str = "\
    AC AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY BZ \
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR \
    GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO \
    JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR \
    MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PR PS PT PW PY QA RE RO \
    RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TG TH TJ TK TL TM TN TO TR TT \
    TV TW TZ UA UG US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

/// The rest of ISO 3166-1: hardly anybody lives there, and who does has a number of another country's plan.
const WITHOUT_A_PLAN: &str = "AQ BV GS HM PN TF UM";

pub(super) fn check(text: &str) -> Result<(), String> {
    let is_among = |codes: &str| codes.split(' ').any(|code| code == text);
    if is_among(CODES) {
        Ok(())
    } else if is_among(WITHOUT_A_PLAN) {
        Err("has no numbers of its own: name the country whose numbers are used there".to_owned())
    } else {
        Err("must be a country of two capital letters, such as \"US\"".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_known_by_two_capitals_in_order_and_once() {
        let codes: Vec<&str> = CODES.split(' ').collect();
        assert!(codes.is_sorted() && codes.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(codes.iter().all(|code| code.len() == 2));
        assert_eq!(codes.len(), 249 - 7 + 3);
        for without in WITHOUT_A_PLAN.split(' ') {
            assert!(
                check(without).unwrap_err().contains("of its own"),
                "{without}"
            );
        }
        for known in ["US", "GB", "JE", "XK"] {
            assert!(check(known).is_ok());
        }
        for unknown in ["UK", "us", "USA", "", "ZZ", "S U"] {
            assert!(check(unknown).is_err(), "{unknown}");
        }
    }
}
