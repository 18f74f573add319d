<?php
// The site's settings: its database and its own address come from settings.json, one directory above.
$settings = json_decode(file_get_contents(dirname(__DIR__) . '/settings.json'), true);
$constants = [
    'DB_NAME' => 'wp', 'DB_USER' => 'wp', 'DB_PASSWORD' => 'wp', 'DB_HOST' => '127.0.0.1:' . $settings['database_port'],
    'DB_CHARSET' => 'utf8mb4', 'DB_COLLATE' => '', 'WP_HOME' => $settings['url'], 'WP_SITEURL' => $settings['url'],
    'DISABLE_WP_CRON' => true, 'WP_HTTP_BLOCK_EXTERNAL' => true, 'AUTOMATIC_UPDATER_DISABLED' => true,
    'WP_ENVIRONMENT_TYPE' => 'local',  // application passwords over plain HTTP need it
];
foreach ($constants as $name => $value) define($name, $value);
foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $name) {
    define($name . '_KEY', 'key of ' . $name);
    define($name . '_SALT', 'salt of ' . $name);
}
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
