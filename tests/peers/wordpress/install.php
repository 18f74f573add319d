<?php
// Installs an empty site and prints the application password of its administrator.
$settings = json_decode(file_get_contents(__DIR__ . '/settings.json'), true);
define('WP_INSTALLING', true);
$_SERVER += ['HTTP_HOST' => parse_url($settings['url'], PHP_URL_HOST), 'SERVER_PROTOCOL' => 'HTTP/1.1', 'REQUEST_METHOD' => 'GET'];
require __DIR__ . '/site/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('Nordfunk Blog', 'admin', 'admin@example.test', true, '', 'adminpw');
$options = [
    'permalink_structure' => '/%postname%/', 'comment_moderation' => 0, 'comment_previously_approved' => 0,
    'comments_notify' => 0, 'moderation_notify' => 0,
    'timezone_string' => 'Europe/Berlin',  // in UTC the trap of naive times stays unseen
];
foreach ($options as $name => $value) update_option($name, $value);
wp_delete_comment(1, true);  // the comment every new site is born with
fwrite(STDOUT, WP_Application_Passwords::create_new_application_password(1, ['name' => 'e2e'])[0]);
