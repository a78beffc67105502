//! Records as sources send them.

/// A Salesforce opportunity as the REST API has it: 25 fields.
pub(crate) fn opportunity(index: usize, revision: usize) -> String {
    let stage = [
        "Prospecting",
        "Qualification",
        "Negotiation/Review",
        "Closed Won",
    ][index % 4];
    let (amount, day, hour) = (index * 37 % 900_000, index % 28 + 1, index % 24);
    format!(
        r#"{{"attributes":{{"type":"Opportunity","url":"/services/data/v60.0/sobjects/Opportunity/006{index:012}AAC"}},"Id":"006{index:012}AAC","IsDeleted":false,"AccountId":"001{account:012}AAA","IsPrivate":false,"Name":"Opportunity {index}: renewal of \"platform\" seats","Description":"Agreed on the phone, second call is due. Revision {revision}.","StageName":"{stage}","Amount":{amount}.50,"Probability":{probability},"ExpectedRevenue":{amount}.05,"TotalOpportunityQuantity":null,"CloseDate":"2026-03-{day:02}","Type":"Existing Customer - Upgrade","NextStep":"Send the offer","LeadSource":"Partner Referral","IsClosed":false,"IsWon":false,"ForecastCategory":"Pipeline","CurrencyIsoCode":"EUR","OwnerId":"005000000000{owner:03}AAI","CreatedDate":"2025-11-{day:02}T{hour:02}:15:30.000+0000","LastModifiedDate":"2026-01-{day:02}T{hour:02}:{revision:02}:59.000+0000","HasOpenActivity":true,"FiscalYear":2026}}"#,
        account = index % 5000,
        probability = index % 11 * 10,
        owner = index % 100,
    )
}

/// The same as a German spreadsheet writes it: 12 columns, each a text.
pub(crate) fn opportunity_of_export(index: usize) -> String {
    let (amount, day, month) = (index * 37 % 900, index % 28 + 1, index % 12 + 1);
    format!(
        r#"{{"Vorgangsnr.":"V-{index:06}","Bezeichnung":"Angebot {index}: Verlängerung","Phase":"Verhandlung","Betrag":"1.{amount:03},50","Chance":"{chance},5","Abschluss":"{day:02}.{month:02}.2026","Angelegt":"{day:02}.{month:02}.2025","Geändert":"{month:02}.{month:02}.2025","Kunde":"Kunde {customer} GmbH & Co. KG","Ort":"Köln","Bemerkung":"telefonisch vereinbart, zweiter Anruf folgt","Bearbeiter":"ann@example.com"}}"#,
        chance = index % 99,
        customer = index % 5000,
    )
}

/// A table of such rows as a CSV file of about so many bytes, from that row on.
pub(crate) fn csv_of_export(from: usize, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 256);
    text.push_str("Vorgangsnr.;Bezeichnung;Phase;Betrag;Chance;Abschluss;Angelegt;Kunde;Ort\n");
    let mut index = from;
    while text.len() < bytes {
        let (amount, day, month) = (index * 37 % 900, index % 28 + 1, index % 12 + 1);
        text.push_str(&format!(
            "V-{index:09};Angebot {index}: Verlängerung;Verhandlung;1.{amount:03},50;{chance},5;{day:02}.{month:02}.2026;{day:02}.{month:02}.2025;Kunde {index} GmbH;Köln\n",
            chance = index % 99,
        ));
        index += 1;
    }
    text
}
