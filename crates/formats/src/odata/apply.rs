//! `$apply`: `filter(…)/groupby((a,b),aggregate(x with sum as t,$count as c))`.
