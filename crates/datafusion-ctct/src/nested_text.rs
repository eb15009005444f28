//! Lists and objects as JSON text, for formats that know neither.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringBuilder};
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;
use arrow::json::writer::{EncoderOptions, make_encoder};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::dml::CopyTo;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::AnalyzerRule;

/// The values of an array as JSON text; nulls stay nulls.
///
/// # Errors
/// Where the array's type has no form in JSON.
pub fn nested_to_text(array: &dyn Array) -> Result<ArrayRef, ArrowError> {
    let field = Arc::new(Field::new("value", array.data_type().clone(), true));
    let options = EncoderOptions::default();
    let mut encoder = make_encoder(&field, array, &options)?;
    let mut texts = StringBuilder::with_capacity(array.len(), array.len() * 32);
    let mut text = Vec::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            texts.append_null();
        } else {
            text.clear();
            encoder.encode(row, &mut text);
            texts.append_value(String::from_utf8_lossy(&text));
        }
    }
    Ok(Arc::new(texts.finish()))
}

/// Whether a type is a list, an object or a map.
fn is_nested(data_type: &DataType) -> bool {
    data_type.is_nested()
}

/// The SQL function `to_json`: any value as JSON text.
pub(crate) fn nested_to_text_function() -> ScalarUDF {
    ScalarUDF::from(ToJson { signature: Signature::any(1, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ToJson {
    signature: Signature,
}

impl ScalarUDFImpl for ToJson {
    fn name(&self) -> &'static str {
        "to_json"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let mut texts = arrays.iter().map(|array| nested_to_text(array));
        let text = texts.next_back().transpose()?;
        Ok(ColumnarValue::Array(text.unwrap_or_else(|| {
            arrow::array::new_null_array(&DataType::Utf8, arguments.number_rows)
        })))
    }
}

/// Makes `COPY … TO 'file.csv'` write lists and objects as JSON text: CSV has no other
/// form for them, and DataFusion alone refuses to write them.
#[derive(Debug)]
pub(crate) struct NestedTextForCsv;

impl AnalyzerRule for NestedTextForCsv {
    fn name(&self) -> &'static str {
        "nested_text_for_csv"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up(|plan| match plan {
            LogicalPlan::Copy(copy) if copy.file_type.get_ext() == "csv" => rewrite(copy),
            other => Ok(Transformed::no(other)),
        })
        .map(|transformed| transformed.data)
    }
}

fn rewrite(copy: CopyTo) -> Result<Transformed<LogicalPlan>> {
    let schema = Arc::clone(copy.input.schema());
    if !schema.fields().iter().any(|field| is_nested(field.data_type())) {
        return Ok(Transformed::no(LogicalPlan::Copy(copy)));
    }
    let to_json = Arc::new(nested_to_text_function());
    let columns = schema.iter().map(|(qualifier, field)| {
        let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
        if is_nested(field.data_type()) {
            to_json.call(vec![column]).alias_qualified(qualifier.cloned(), field.name())
        } else {
            column
        }
    });
    let input = LogicalPlanBuilder::from(copy.input.as_ref().clone()).project(columns)?.build()?;
    let copy = CopyTo::new(
        Arc::new(input),
        copy.output_url,
        copy.partition_by,
        copy.file_type,
        copy.options,
    );
    Ok(Transformed::yes(LogicalPlan::Copy(copy)))
}
