//! Names that are nobody's but the crate's.

use hchan::thread::Wait as _; //~ E0603
use hchan::thread::Limit as _; //~ E0603
use hchan::select::Arm as _; //~ E0603
use hchan::select::AsOperation as _; //~ E0603
use hchan::__private::ArmList as _; //~ E0432
use hchan::__private::AsOperation as _; //~ E0432
use hchan::__private::Arms as _; //~ E0432
use hchan::__private::Tried; //~ E0432
use hchan::__private::Wait as _; //~ E0432
