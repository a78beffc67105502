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
