require('./http.cjs');
require('./events.cjs');
require('./orchestrations.cjs');
require('./drive.cjs');
