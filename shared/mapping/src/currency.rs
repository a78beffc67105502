//! ISO 4217.

/// The active codes of ISO 4217, with funds and metals, sorted.
const CODES: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV \
    BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP \
    DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD \
    IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA \
    MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP \
    PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL \
    THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF \
    XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG";

/// The code of the currency that a sign or a code is of; none where it may be of several: `$`, `¥`
/// and `kr` are.
pub fn code_of(sign: &str) -> Option<String> {
    match sign.trim() {
        "€" => Some("EUR".to_owned()),
        "£" => Some("GBP".to_owned()),
        "₹" => Some("INR".to_owned()),
        "US$" => Some("USD".to_owned()),
        other => Some(other.to_uppercase()).filter(|it| is_code(it)),
    }
}

/// A regular expression that finds any of the signs and codes, in any case.
pub fn pattern(signs: &[String]) -> String {
    let mut signs: Vec<_> = signs.iter().map(|it| regex::escape(it)).collect();
    // The longest first: `US$` is not `$`.
    signs.sort_by_key(|it| std::cmp::Reverse(it.len()));
    format!("(?i){}", signs.join("|"))
}

/// Whether it is such a code, in upper case.
pub(super) fn is_code(text: &str) -> bool {
    text.len() == 3 && CODES.split(' ').any(|it| it == text)
}
