//! How a column writes its values, as it was inferred from all of them: what a person is shown
//! before a mapping declares it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::mapping::Transform;

/// The format of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ColumnFormat {
    /// The column's name.
    pub name: String,
    /// What its values are.
    pub kind: FormatKind,
    /// What a mapping declares so that the values are read like this; empty where they are read as
    /// they are. With an open question they are those of its first choice.
    pub transforms: Vec<Transform>,
    /// Whether times name their zone; absent for other values than times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<ZonePolicy>,
    /// How many values there are, without empty ones.
    pub values: u64,
    /// How many are empty.
    pub empty: u64,
    /// How many are one of the words for no value that `transforms` lists.
    pub nulls: u64,
    /// What speaks for it, by the number of values.
    pub evidence: Vec<Evidence>,
    /// The values that do not fit.
    pub misfits: Misfits,
    /// What the values do not decide. None is answered by a guess.
    pub questions: Vec<FormatQuestion>,
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FormatKind {
    /// There are none.
    Empty,
    /// Texts.
    Text,
    /// Whole numbers.
    Integer,
    /// Numbers with a fraction.
    Decimal,
    /// Numbers with the sign or the code of a currency.
    Money,
    /// Numbers with a percent sign.
    Percent,
    /// Numbers with a unit, such as `kg`.
    Quantity,
    /// Yes or no.
    Boolean,
    /// Days.
    Date,
    /// Days with a time.
    Timestamp,
    /// Lists with a separator.
    List,
    /// E-mail addresses.
    Email,
    /// Telephone numbers.
    Phone,
    /// Web addresses.
    Url,
    /// UUIDs.
    Uuid,
    /// Countries, by code or name.
    Country,
}

/// Whether the times of a column name their zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ZonePolicy {
    /// Each one does.
    Named,
    /// None does: they are read as UTC unless the mapping declares a zone.
    Unnamed,
    /// Some do; the others are read as UTC unless the mapping declares a zone.
    Mixed,
}

/// Values of one form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Evidence {
    /// The form, in words: `dates as DD/MM/YYYY`.
    pub form: String,
    /// How many values have it.
    pub count: u64,
    /// Some of them, at most three, cut after 80 characters.
    pub examples: Vec<String>,
}

/// Values that do not fit what was inferred.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Misfits {
    /// How many.
    pub count: u64,
    /// Their share of all values that are neither empty nor a word for no value, 0 to 1.
    pub share: f64,
    /// Some of them, at most three, cut after 80 characters.
    pub examples: Vec<String>,
}

/// What the values of a column do not decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FormatQuestion {
    /// What it is about.
    pub kind: QuestionKind,
    /// The question, as a person is asked it.
    pub question: String,
    /// The possible answers, at least two.
    pub choices: Vec<FormatChoice>,
}

/// What a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// `01/02/2024`: whether the day or the month comes first.
    DayOrMonthFirst,
    /// `1,234`: whether the sign groups digits or begins a fraction.
    GroupOrFraction,
    /// The column has dates of several formats.
    MixedDates,
    /// The column has numbers of several formats.
    MixedNumbers,
    /// The column has amounts in several currencies.
    MixedCurrencies,
    /// The column has numbers with several units, or with and without one.
    MixedUnits,
    /// The column has numbers with and without a percent sign.
    MixedPercent,
    /// The column has telephone numbers with and without a country code.
    NationalNumbers,
    /// The column has texts with commas where lists are wanted.
    CommaList,
}

/// One answer to a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FormatChoice {
    /// The answer, in words: `day first (DD/MM/YYYY)`.
    pub answer: String,
    /// What a mapping then declares.
    pub transforms: Vec<Transform>,
    /// Values of the column, and what they become with this answer. Those are shown first that
    /// other answers read otherwise.
    pub examples: Vec<ChoiceExample>,
}

/// What a value becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChoiceExample {
    /// The value, as the column has it.
    pub value: String,
    /// What it becomes; absent where it does not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub becomes: Option<String>,
}
